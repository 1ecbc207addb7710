"""What a line of a file of members says: its cells' values, checked once each, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
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
from hiiki.kit.i18n import _
from hiiki.kit.importable import Fault, Unfit

_KEYS = ("customer", "email", "phone", "line_user_id")
_NAMES = ("name", "family_name", "given_name")
_TOO_LONG = _("Please shorten this to %(max_length)s characters.", max_length=NAME_MOST)
_FIRST_BIRTHDAY = date(1900, 1, 1)

_Values: TypeAlias = Mapping[str, Any]
Then: TypeAlias = Callable[[Any], Any]


def birthday(day: date) -> date:
    """Return a birthday that can be one (`Column.then`)."""
    if not _FIRST_BIRTHDAY <= day <= now().date():
        raise Unfit(_("Please enter a birthday between 1900 and today."))
    return day


def prefecture(typed: str) -> str:
    """Return the prefecture that is meant (`Column.then`)."""
    found = find_prefecture(typed)
    if not found:
        raise Unfit(_("This is none of Japan's 47 prefectures."))
    return found


def tags(names: Sequence[str]) -> Sequence[str]:
    """Return names that tags can have (`Column.then`)."""
    if any(len(name) > TAG_NAME_LIMIT for name in names):
        raise Unfit(_("Please shorten each tag to %(n)s characters.", n=TAG_NAME_LIMIT))
    return names


CHECKS: Mapping[str, Then] = {"birthday": birthday, "prefecture": prefecture, "tags": tags}


def of_attribute(attribute: Attribute) -> Then:
    """Return what makes of a cell what the attribute keeps (`Column.then`)."""

    def then(value: Any) -> Any:
        try:
            return parse_value(attribute, value)
        except Invalid as error:
            raise Unfit(error.fields["value"]) from None

    return then


class Sayings:
    """Reads lines that have the same columns."""

    def __init__(
        self, columns: Iterable[str], attributes: Sequence[Attribute], *, clears: bool
    ) -> None:
        there = set(columns)
        self._clears = clears
        self._keys = [name if name in there else "" for name in _KEYS]
        self._has_name = not there.isdisjoint(_NAMES)
        self._plain = [name for name in ("email", "phone", "prefecture") if name in there]
        self._has_birthday = "birthday" in there
        self._has_flag = "is_purchaser" in there
        self._attributes: list[tuple[str, Attribute, dict[Any, Any]]] = [
            (name, each, {}) for each in attributes if (name := f"attribute:{each.id}") in there
        ]

    def keys(self, values: _Values) -> Keys:
        """Return by what a line names a person."""
        customer, email, phone, line = self._keys
        return Keys(
            (customer and values[customer]) or "",
            (email and values[email]) or "",
            (phone and values[phone]) or "",
            (line and values[line]) or "",
        )

    def said(self, values: _Values) -> State | Fault:
        """Return what a line says, as a contact's state holds it, or what is wrong with it."""
        customer, email, phone, line = self._keys
        if not (
            (customer and values[customer])
            or (email and values[email])
            or (phone and values[phone])
            or (line and values[line])
        ):
            return Fault("", _("Please give a customer number, e-mail, phone or LINE user ID."))
        said: State = {}
        clears = self._clears
        if self._has_name:
            name = _name(values)
            if len(name) > NAME_MOST:
                return Fault("name", _TOO_LONG)
            if name or clears:
                said["real_name"] = name or None
        for column in self._plain:
            value = values[column]
            if value is not None or clears:
                said[column] = value
        if self._has_birthday:
            day = values["birthday"]
            if day is not None or clears:
                said["birthday"] = day and day.isoformat()
        if self._has_flag and (flag := values["is_purchaser"]) is not None:
            said["is_purchaser"] = flag
        for column, attribute, known in self._attributes:
            value = values[column]
            if value is not None:
                key = tuple(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
                if key not in known:
                    known[key] = _kept(attribute, value)
                said[column] = known[key]
            elif clears:
                said[column] = None
        return said


def _name(values: _Values) -> str:
    whole = values.get("name") or " ".join(
        filter(None, (values.get("family_name"), values.get("given_name")))
    )
    return " ".join(whole.split())


def _kept(attribute: Attribute, value: Any) -> State:
    return {name: states.plain(each) for name, each in columns_of(attribute, value).items()}
