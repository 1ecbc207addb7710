"""Flex Messages: bubbles and carousels of boxes, drawn with CSS flexbox as LINE specifies them."""

from line_preview.flex.bubble import render_flex

__all__ = ["render_flex"]
