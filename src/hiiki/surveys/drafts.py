"""The survey editor's form: what its buttons do, and how its fields become a survey.

The server redraws the form after every button, so the form alone holds the draft: what
is typed is not lost, nothing is stored before "Save", and no script is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, cast

from hiiki.actions.editor import drawable
from hiiki.kit.i18n import _
from hiiki.kit.ids import code, uuid7
from hiiki.surveys.schemas import SurveySpec

Data = dict[str, Any]


def new_draft() -> Data:
    """Return the form of a survey that has just been begun."""
    return {
        "name": "",
        "intro": str(_("Please answer a few short questions.")),
        "thanks": str(_("Thank you for your answers!")),
        "questions": [_question()],
        "finish_actions": [],
    }


def from_spec(spec: SurveySpec) -> Data:
    """Return the form of a survey as it stands."""
    return from_form(spec.model_dump(mode="json"))


def from_form(given: Mapping[str, Any]) -> Data:
    """Return what a form sent, with all that drawing it needs, whatever is missing."""
    return {
        "name": str(given.get("name") or ""),
        "intro": str(given.get("intro") or ""),
        "thanks": str(given.get("thanks") or ""),
        "questions": [_question(one) for one in _dicts(given.get("questions"))],
        "finish_actions": drawable(given.get("finish_actions")),
    }


def press(data: Data, do: str, at: str) -> Data:
    """Return the form after a button: `do` is what it says, `at` the path of what it is on.

    `at` is `questions.2`, or `questions.2.choices.1`; `do` is add, remove, up, down,
    copy, or for a question `choice` (add one).
    """
    changed = deepcopy(data)
    path = at.split(".")
    if do == "add":
        changed["questions"].append(_question())
        return changed
    try:
        question = changed["questions"][int(path[1])]
        if do == "choice":
            question["choices"].append(_choice({}))
        elif len(path) == 4:
            _move(question["choices"], do, int(path[3]))
        else:
            _move(changed["questions"], do, int(path[1]))
    except (IndexError, ValueError):
        return changed  # the form is older than the press; draw it as it is
    return changed


def to_spec(data: Data) -> Data:
    """Return the form as `SurveySpec` takes it: without choices where there can be none."""
    spec = deepcopy(data)
    for question in spec["questions"]:
        if question["kind"] not in ("choice", "choices"):
            question["choices"] = []
            if question["presentation"] == "carousel":
                question["presentation"] = "quick_reply"
        for choice in question["choices"]:
            if question["kind"] == "choices":
                choice["next"] = None
    return spec


def _move(items: list[Data], do: str, at: int) -> None:
    if do == "remove":
        del items[at]
    elif do == "up" and at > 0:
        items[at - 1], items[at] = items[at], items[at - 1]
    elif do == "down" and at < len(items) - 1:
        items[at + 1], items[at] = items[at], items[at + 1]
    elif do == "copy":
        copy = deepcopy(items[at])
        copy["id"] = str(uuid7())
        items.insert(at + 1, copy)


def _question(given: Mapping[str, Any] | None = None) -> Data:
    given = given or {"choices": [{}, {}]}
    return {
        "id": str(given.get("id") or uuid7()),
        "kind": str(given.get("kind") or "choice"),
        "title": str(given.get("title") or ""),
        "presentation": str(given.get("presentation") or "quick_reply"),
        "attribute_id": str(given.get("attribute_id") or ""),
        "choices": [_choice(one) for one in _dicts(given.get("choices"))],
    }


def _choice(given: Mapping[str, Any]) -> Data:
    return {
        "id": str(given.get("id") or code(6)),
        "label": str(given.get("label") or ""),
        "actions": drawable(given.get("actions")),
        "next": str(given.get("next") or ""),
    }


def _dicts(given: Any) -> list[Data]:
    if not isinstance(given, list):
        return []
    found = cast("list[Any]", given)
    return [cast("Data", one) for one in found if isinstance(one, dict)]
