"""LINE's action objects on the elements that trigger them.

A preview never navigates. An element carries its action as JSON in `data-lp-action`; whoever shows
the preview decides what a tap does (`line-preview.js` announces taps as `lp-action` events).
"""

import re

from line_preview.fields import Fields, fields, text, to_json

_TAPPABLE_URI = re.compile(r"(?:https?|line|tel|mailto):", re.IGNORECASE)
_URI_FIELDS = ("uri", "linkUri")


def action_attributes(value: object, *, label: str | None = None) -> dict[str, str | bool | None]:
    """Return the attributes that make an element tappable, or none where there is no action."""
    action = fields(value)
    if not isinstance(action.get("type"), str):
        return {}
    return {
        "data-lp-action": to_json(_without_bad_uri(action)),
        "role": "button",
        "tabindex": "0",
        "aria-label": label or None,
    }


def label_of(value: object, fallback: str = "") -> str:
    """Return an action's label."""
    return text(fields(value), "label") or fallback


def _without_bad_uri(action: Fields) -> Fields:
    # LINE opens web, line:, tel: and mailto: addresses only. Anything else (a script address, say)
    # must not reach code that may put it into window.open.
    bad = [key for key in _URI_FIELDS if key in action and not _opens(action[key])]
    desktop = fields(action.get("altUri"))
    if "desktop" in desktop and not _opens(desktop["desktop"]):
        bad.append("altUri")
    return {key: value for key, value in action.items() if key not in bad} if bad else action


def _opens(uri: object) -> bool:
    return isinstance(uri, str) and _TAPPABLE_URI.match(uri) is not None
