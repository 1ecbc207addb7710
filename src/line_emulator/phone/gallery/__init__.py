"""The gallery `/phone-gallery`: Flex Messages of many trades, to judge the phone's drawing by."""

from .page import gallery_page

__all__ = ["gallery_page"]
