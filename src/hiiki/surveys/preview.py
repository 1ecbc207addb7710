"""How a draft would look on a phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from markupsafe import Markup

from hiiki.surveys.present import Asked, ask
from line_preview import render_phone

_NOBODY = UUID(int=0)
_PLACEHOLDER = "…"


def phone(data: Mapping[str, Any], place: int, *, title: str, locale: str) -> Markup:
    """Return the chat as a friend sees it when question number `place` is put."""
    messages: list[dict[str, Any]] = []
    questions: Sequence[Mapping[str, Any]] = data["questions"]
    if data["intro"].strip() and place <= 0:
        messages.append({"type": "text", "text": data["intro"]})
    if 0 <= place < len(questions):
        messages += ask(_asked(questions[place]), locale)
    elif data["thanks"].strip():
        messages.append({"type": "text", "text": data["thanks"]})
    return render_phone(messages, title=title, lang=locale)


def _asked(question: Mapping[str, Any]) -> Asked:
    choices = [
        {"id": choice["id"], "label": choice["label"].strip() or _PLACEHOLDER}
        for choice in question["choices"]
    ]
    return Asked(
        survey_id=_NOBODY,
        id=_NOBODY,
        kind=question["kind"],
        title=question["title"].strip() or _PLACEHOLDER,
        presentation=question["presentation"],
        choices=choices if question["kind"] in ("choice", "choices") else [],
    )
