"""Short ways to write Flex Messages."""

from typing import Any, cast

Json = dict[str, Any]


def text(words: str, **more: Any) -> Json:
    """A text component."""
    return {"type": "text", "text": words, **more}


def box(layout: str, *contents: Json, **more: Any) -> Json:
    """A box of this layout around its contents."""
    return {"type": "box", "layout": layout, "contents": list(contents), **more}


def uri(label: str, address: str = "https://example.com/") -> Json:
    """An action that opens an address."""
    return {"type": "uri", "label": label, "uri": address}


def button(label: str, **more: Any) -> Json:
    """A button that opens an address."""
    return {"type": "button", "action": uri(label), **more}


def flex(contents: Json, alt: str = "Flex") -> Json:
    """A whole message."""
    return {"type": "flex", "altText": alt, "contents": contents}


def picture(name: str) -> str:
    """The address of one of the gallery's drawings."""
    return f"/phone-pictures/{name}.svg"


def sendable(value: Json, base_url: str) -> Json:
    """The same message with whole addresses, as it can be sent."""
    return cast(Json, _whole(value, base_url))


def _whole(value: Any, base_url: str) -> Any:
    if isinstance(value, dict):
        pairs = cast(Json, value).items()
        return {name: _whole(inner, base_url) for name, inner in pairs}
    if isinstance(value, list):
        return [_whole(inner, base_url) for inner in cast(list[Any], value)]
    if isinstance(value, str) and value.startswith("/phone-pictures/"):
        return base_url + value
    return value
