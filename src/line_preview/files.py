"""The stylesheet and the script that go with the HTML."""

from functools import cache
from pathlib import Path

_ASSETS = Path(__file__).parent / "assets"


def css_path() -> Path:
    """Return the path of the stylesheet, to be served as a static file."""
    return _ASSETS / "line-preview.css"


def js_path() -> Path:
    """Return the path of the ES module that makes previews complete, to be served likewise."""
    return _ASSETS / "line-preview.js"


@cache
def css() -> str:
    """Return the stylesheet's text."""
    return css_path().read_text(encoding="utf-8")
