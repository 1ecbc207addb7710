"""Flex Messages that the gallery and the tests draw: those of the emulator's own gallery."""

from typing import Any

from line_emulator.phone.gallery.designs import DESIGNS
from line_emulator.phone.gallery.parts import Json, box, button, flex, text, uri

__all__ = ["FLEX", "SIZES", "Json", "box", "button", "flex", "text", "uri"]


def _here(value: Any) -> Any:
    """The same message with pictures of the tests' own site."""
    if isinstance(value, dict):
        return {name: _here(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_here(inner) for inner in value]
    return value.replace("/phone-pictures/", "/img/") if isinstance(value, str) else value


FLEX = {one.name: _here(one.message) for one in DESIGNS if not one.name.startswith("size-")}
SIZES = [_here(one.message) for one in DESIGNS if one.name.startswith("size-")]
