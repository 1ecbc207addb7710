"""Short ways to write Flex Messages."""

from typing import Any

Json = dict[str, Any]


def text(words: str, **more: Any) -> Json:
    return {"type": "text", "text": words, **more}


def box(layout: str, *contents: Json, **more: Any) -> Json:
    return {"type": "box", "layout": layout, "contents": list(contents), **more}


def uri(label: str, address: str = "https://example.com/") -> Json:
    return {"type": "uri", "label": label, "uri": address}


def button(label: str, **more: Any) -> Json:
    return {"type": "button", "action": uri(label), **more}


def flex(contents: Json, alt: str = "Flex") -> Json:
    return {"type": "flex", "altText": alt, "contents": contents}
