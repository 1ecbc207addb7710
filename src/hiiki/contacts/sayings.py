"""What a line of a file of members says, checked once a column and slice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, TypeAlias

from hiiki.contacts import states
from hiiki.contacts.keys import Keys
from hiiki.contacts.member_columns import NAME_MOST
from hiiki.contacts.models import Attribute
from hiiki.contacts.prefectures import find_prefecture
from hiiki.contacts.schemas import TAG_NAME_LIMIT
from hiiki.contacts.states import State
from hiiki.contacts.values import columns_of, parse_value
from hiiki.kit.clock import now
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import Text, _

_KEYS = ("customer", "email", "phone", "line_user_id")
_NAMES = ("name", "family_name", "given_name")
_FIRST_BIRTHDAY = date(1900, 1, 1)

_Values: TypeAlias = Mapping[str, Any]


class Unfit(Exception):
    """A line that cannot be taken: the column to blame, and why."""

    def __init__(self, column: str, reason: Text) -> None:
        self.column, self.reason = column, reason
        super().__init__(column)


class Sayings:
    """Reads lines that have the same columns."""

    def __init__(
        self, columns: Iterable[str], attributes: Sequence[Attribute], *, clears: bool
    ) -> None:
        there = set(columns)
        self._clears = clears
        self._keys = [name if name in there else "" for name in _KEYS]
        self._has_tags = "tags" in there
        self._steps: list[tuple[str, Callable[[_Values], Any]]] = []
        if not there.isdisjoint(_NAMES):
            self._steps.append(("real_name", _name))
        self._steps += [
            (name, partial(_as_it_is, name)) for name in ("email", "phone") if name in there
        ]
        if "birthday" in there:
            self._steps.append(("birthday", partial(_birthday, now().date())))
        for name, read in (("prefecture", _prefecture), ("is_purchaser", _is_purchaser)):
            if name in there:
                self._steps.append((name, read))
        for each in attributes:
            name = f"attribute:{each.id}"
            if name in there:
                known: dict[Any, Any] = {}
                self._steps.append((name, partial(_attribute, name, each, known)))

    def keys(self, values: _Values) -> Keys:
        """Return by what a line names a person."""
        return Keys(*[(name and values[name]) or "" for name in self._keys])

    def said(self, values: _Values) -> State:
        """Return what a line says, as a contact's state holds it; raises `Unfit`."""
        if not any(name and values[name] for name in self._keys):
            raise Unfit("", _("Please give a customer number, e-mail, phone or LINE user ID."))
        said: State = {}
        for name, read in self._steps:
            value = read(values)
            if value is not None or (self._clears and name != "is_purchaser"):
                said[name] = value
        if self._has_tags:
            for tag in values["tags"] or ():
                if len(tag) > TAG_NAME_LIMIT:
                    raise Unfit(
                        "tags", _("Please shorten each tag to %(n)s characters.", n=TAG_NAME_LIMIT)
                    )
        return said


def _as_it_is(name: str, values: _Values) -> Any:
    return values[name]


def _name(values: _Values) -> str | None:
    whole = values.get("name") or " ".join(
        filter(None, (values.get("family_name"), values.get("given_name")))
    )
    name = " ".join(whole.split())
    if len(name) > NAME_MOST:
        raise Unfit(
            "name", _("Please shorten this to %(max_length)s characters.", max_length=NAME_MOST)
        )
    return name or None


def _birthday(today: date, values: _Values) -> str | None:
    day: date | None = values["birthday"]
    if day is None:
        return None
    if not _FIRST_BIRTHDAY <= day <= today:
        raise Unfit("birthday", _("Please enter a birthday between 1900 and today."))
    return day.isoformat()


def _prefecture(values: _Values) -> str | None:
    typed: str | None = values["prefecture"]
    if not typed:
        return None
    found = find_prefecture(typed)
    if not found:
        raise Unfit("prefecture", _("This is none of Japan's 47 prefectures."))
    return found


def _is_purchaser(values: _Values) -> bool | None:
    return values["is_purchaser"]


def _attribute(
    name: str, attribute: Attribute, known: dict[Any, Any], values: _Values
) -> dict[str, Any] | None:
    """Return what is stored of an attribute; what many lines say alike is looked at once."""
    value = values[name]
    if value is None:
        return None
    if value not in known:
        try:
            parsed = parse_value(attribute, value)
        except Invalid as error:
            raise Unfit(name, error.fields["value"]) from None
        known[value] = (
            None
            if parsed is None
            else {
                column: states.plain(each) for column, each in columns_of(attribute, parsed).items()
            }
        )
    return known[value]
