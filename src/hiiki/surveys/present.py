"""A question as LINE messages. Nothing here knows a database.

Limits are LINE's (Messaging API reference: "Quick reply", "Buttons template", "Carousel
template", "Postback action"); `hiiki.surveys.checks` sees to it that a survey that goes
live keeps to them, so nothing is cut here that a person wrote.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote_plus
from uuid import UUID

from hiiki.kit.i18n import Text, _
from hiiki.kit.text import shorten

QUICK_REPLIES = 13
BUTTONS = 4
COLUMNS = 10
COLUMN_ACTIONS = 3
MAX_CHOICES = COLUMNS * COLUMN_ACTIONS
LABEL = 20
TICKED_LABEL = 18
"""A label that is to be shown with a tick before it."""
BUTTONS_TEXT = 160
COLUMN_TEXT = 120
ALT_TEXT = 400
DONE = "done"
"""The id under which the button "That's all" of a question with several answers is known."""

Message = dict[str, Any]

_DONE = _("That's all")
_PICK_DATE = _("Choose the date")
_PICKED = _("Chosen so far: %(labels)s")
_CHOOSE = _("Please choose (%(page)s/%(pages)s)")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is needed of a question to ask it."""

    survey_id: UUID
    id: UUID
    kind: str
    title: str
    presentation: str
    choices: Sequence[Mapping[str, Any]] = ()
    picked: Collection[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Tap:
    """What the data of a survey's button says."""

    survey_id: UUID
    question_id: UUID
    choice_id: str
    """A choice's id, `DONE`, or "" for a picked date."""
    pick: bool
    """For several answers: whether the tap adds the choice or takes it away again."""


def tap_data(question: Asked, choice_id: str = "", *, pick: bool = True) -> str:
    """Return the postback data of a button (at most 300 characters; this has about 110)."""
    data = f"survey={question.survey_id}&q={question.id}&c={quote_plus(choice_id)}"
    return data if pick else f"{data}&off=1"


def read_tap(data: str) -> Tap | None:
    """Return what a postback's data says, or None when it is no survey's."""
    found = {name: values[-1] for name, values in parse_qs(data, keep_blank_values=True).items()}
    try:
        return Tap(
            UUID(found["survey"]), UUID(found["q"]), found.get("c", ""), pick="off" not in found
        )
    except (KeyError, ValueError):
        return None


def ask(question: Asked, locale: str) -> list[Message]:
    """Return the messages (one, seldom two or three) that put the question."""
    if question.kind == "date":
        return [_ask_date(question, locale)]
    if question.kind in ("text", "number"):
        return [{"type": "text", "text": question.title}]
    actions = [_tap(question, choice) for choice in question.choices]
    messages = _ask_choice(question, actions, locale)
    if question.kind == "choices":
        _add_done(messages, question, locale)
    return messages


def ask_further(question: Asked, locale: str) -> list[Message]:
    """Return the messages that show what is picked so far and let the person go on."""
    labels = [str(c["label"]) for c in question.choices if c["id"] in question.picked]
    said = Text(_PICKED.english, {"labels": "、".join(labels) or "－"}).to(locale)
    if question.presentation == "quick_reply" and len(question.choices) < QUICK_REPLIES:
        message: Message = {"type": "text", "text": said}
        message["quickReply"] = {
            "items": [_item(_tap(question, choice)) for choice in question.choices]
        }
        messages = [message]
        _add_done(messages, question, locale)
        return messages
    # The buttons are still on the screen; only the way to end stands below what is said.
    message = {"type": "text", "text": said, "quickReply": {"items": [_done(question, locale)]}}
    return [message]


def _ask_choice(question: Asked, actions: list[Message], locale: str) -> list[Message]:
    room = QUICK_REPLIES - (question.kind == "choices")
    if question.presentation == "quick_reply" and len(actions) <= room:
        items = [_item(action) for action in actions]
        return [{"type": "text", "text": question.title, "quickReply": {"items": items}}]
    if question.presentation == "buttons" and len(actions) <= BUTTONS:
        template = {"type": "buttons", "text": question.title, "actions": actions}
        return [_template(question, template)]
    return _carousels(question, actions, locale)


def _carousels(question: Asked, actions: list[Message], locale: str) -> list[Message]:
    """Spread the choices over columns; all columns of a carousel have equally many."""
    messages: list[Message] = []
    title = question.title
    if len(title) > COLUMN_TEXT - 10:
        messages.append({"type": "text", "text": title})
        title = ""
    runs = spread(len(actions))
    pages = sum(columns for columns, _each in runs)
    page = begin = 0
    for columns, each in runs:
        drawn: list[Message] = []
        for _column in range(columns):
            page += 1
            words = f"{title} ({page}/{pages})" if pages > 1 else title
            if not title:
                words = Text(_CHOOSE.english, {"page": page, "pages": pages}).to(locale)
            drawn.append({"text": words, "actions": actions[begin : begin + each]})
            begin += each
        messages.append(_template(question, {"type": "carousel", "columns": drawn}))
    return messages


def spread(count: int) -> list[tuple[int, int]]:
    """Return (columns, choices in each) of one carousel, or of two where one cannot do.

    LINE wants equally many actions in every column, at most ten columns of three.
    """
    for each in (3, 2, 1):
        if count % each == 0 and count // each <= COLUMNS:
            return [(count // each, each)]
    return [(count // COLUMN_ACTIONS, COLUMN_ACTIONS), (1, count % COLUMN_ACTIONS)]


def _ask_date(question: Asked, locale: str) -> Message:
    action: Message = {
        "type": "datetimepicker",
        "label": _PICK_DATE.to(locale),
        "data": tap_data(question),
        "mode": "date",
    }
    if question.presentation == "quick_reply":
        return {"type": "text", "text": question.title, "quickReply": {"items": [_item(action)]}}
    template = {"type": "buttons", "text": question.title, "actions": [action]}
    return _template(question, template)


def _tap(question: Asked, choice: Mapping[str, Any]) -> Message:
    label, ident = str(choice["label"]), str(choice["id"])
    is_picked = ident in question.picked
    return {
        "type": "postback",
        "label": f"✓ {label}" if is_picked else label,
        "data": tap_data(question, ident, pick=not is_picked),
        "displayText": label,
    }


def _done(question: Asked, locale: str) -> Message:
    label = _DONE.to(locale)
    return _item(
        {
            "type": "postback",
            "label": label,
            "data": tap_data(question, DONE),
            "displayText": label,
        }
    )


def _add_done(messages: list[Message], question: Asked, locale: str) -> None:
    quick = messages[-1].setdefault("quickReply", {"items": []})
    quick["items"].append(_done(question, locale))


def is_done(typed: str, plain_typed: str) -> bool:
    """True when somebody typed, in either language, what the button for the end says."""
    return typed.strip() in {_DONE.to("ja"), _DONE.to("en")} or plain_typed in {"done", "完了"}


def _item(action: Message) -> Message:
    return {"type": "action", "action": action}


def _template(question: Asked, template: Message) -> Message:
    return {
        "type": "template",
        "altText": shorten(question.title, ALT_TEXT),
        "template": template,
    }
