"""Filling messages in for each recipient, many at a time.

Messages are compiled once: what is the same for everybody is kept as it is and shared,
and only the texts that differ are rendered. Rendered texts are cut to LINE's limits, so
that no name, however long, makes LINE refuse a request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

import orjson
import regex
from sqlalchemy import ARRAY, Select, Uuid, any_, bindparam

from hiiki.contacts.models import Contact
from hiiki.content import links, tickets
from hiiki.content.values import Values, readable, stored_values
from hiiki.content.variables import BadTemplate, Template, is_template, read
from hiiki.db import WorkspaceSession
from hiiki.kit.text import shorten, utf16_length
from hiiki.line import limits

_GRAPHEME = regex.compile(r"\X")
_EMPTY = "…"
"""What stands where a text came out empty: LINE refuses a message with an empty text."""

_NOTHING: Values = {"attributes": {}}
_Fill = Callable[[Values], Any]


@dataclass(frozen=True, slots=True)
class Program:
    """Messages that are ready to be filled in."""

    names: frozenset[str]
    attributes: frozenset[str]
    links: frozenset[str]
    fill: Callable[[Values], list[dict[str, Any]]]
    """Return the messages with these values. Constant parts are shared: do not change them."""

    @property
    def is_personal(self) -> bool:
        """True when they come out differently for different people."""
        return bool(self.names or self.attributes or self.links)


async def personalise(
    session: WorkspaceSession, messages: Sequence[dict[str, Any]], contact_ids: Sequence[UUID]
) -> dict[UUID, list[dict[str, Any]]]:
    """Return contact id → the messages as that person gets them, for every id given."""
    program = compiled(messages)
    if not program.is_personal:
        same = program.fill({})
        return dict.fromkeys(contact_ids, same)
    ids = list(contact_ids)
    known = await _known(session, program, ids)
    written = {
        code: [links.url_of(code, ticket) for ticket in tickets.tickets(code, ids)]
        for code in program.links
    }
    filled: dict[UUID, list[dict[str, Any]]] = {}
    for index, contact_id in enumerate(ids):
        values = known.get(contact_id, _NOTHING)
        link = {code: urls[index] for code, urls in written.items()}
        filled[contact_id] = program.fill({**values, "link": link})
    return filled


async def _known(
    session: WorkspaceSession, program: Program, ids: Sequence[UUID]
) -> Mapping[UUID, Values]:
    if not (program.names or program.attributes):
        return {}

    async def ask(people: Sequence[UUID]) -> dict[UUID, Values]:
        rows = await session.execute(
            _values_of_some(program.names, program.attributes), {"ids": list(people)}
        )
        return {ident: readable(values) for ident, values in rows}

    if len(ids) == 1 and not program.attributes:  # which an action may just have set
        one = await session.ahead(("values", program.names), ids[0], ask)
        return {} if one is None else {ids[0]: one}
    return await ask(ids)


@lru_cache(maxsize=256)
def _values_of_some(names: frozenset[str], attributes: frozenset[str]) -> Select[UUID, Any]:
    return stored_values(names, attributes).where(
        Contact.id == any_(bindparam("ids", type_=ARRAY(Uuid())))
    )


def shared_values(messages: Sequence[dict[str, Any]]) -> Select[UUID, Any] | None:
    """Return what several people may have in common in these messages: contact id, values.

    None when nobody can have the same as somebody else, for a tracked link is each person's
    own. Like `stored_values`, it is for the caller to narrow down.
    """
    program = compiled(messages)
    return None if program.links else stored_values(program.names, program.attributes)


def fill(messages: Sequence[dict[str, Any]], values: Values) -> list[dict[str, Any]]:
    """Return the messages with values that `shared_values` gave."""
    return compiled(messages).fill({**readable(values), "link": {}})


def compiled(messages: Sequence[dict[str, Any]]) -> Program:
    """Return these messages ready to be filled in; the same ones are compiled only once."""
    return _compiled(orjson.dumps(messages))


@lru_cache(maxsize=256)
def _compiled(written: bytes) -> Program:
    used: list[Template] = []
    messages = orjson.loads(written)
    fill = _node(messages, (), {}, used)
    return Program(
        frozenset(name for template in used for name in template.names),
        frozenset(key for template in used for key in template.attributes),
        frozenset(code for template in used for code in template.links),
        fill or (lambda _values: messages),
    )


def _node(
    node: Any, path: tuple[str | int, ...], owner: Mapping[str, Any], used: list[Template]
) -> _Fill | None:
    """Return what fills this part in, or None when it is the same for everybody."""
    if isinstance(node, dict):
        table = cast("dict[str, Any]", node)
        parts = [(k, f) for k, v in table.items() if (f := _node(v, (*path, k), table, used))]
        return _copying(table, parts) if parts else None
    if isinstance(node, list):
        row = cast("list[Any]", node)
        places = [(i, f) for i, v in enumerate(row) if (f := _node(v, (*path, i), owner, used))]
        return _copying(row, places) if places else None
    if isinstance(node, str) and is_template(node):
        return _leaf(node, path, owner, used)
    return None


def _copying(base: Any, parts: Sequence[tuple[Any, _Fill]]) -> _Fill:
    def fill(values: Values) -> Any:
        made = base.copy()
        for key, part in parts:
            made[key] = part(values)
        return made

    return fill


def _leaf(
    source: str, path: tuple[str | int, ...], owner: Mapping[str, Any], used: list[Template]
) -> _Fill | None:
    try:
        template = read(source)
    except BadTemplate:
        return None  # `Draft` lets none through; what another room wrote stays as it is
    used.append(template)
    if len(template.links) == 1:
        (code,) = template.links
        if source == f"{{{{ link.{code} }}}}":
            return lambda values: values["link"][code]
    if path[-1] == "uri":
        return template.render
    cut = _cutter(path, owner)

    def fill(values: Values) -> str:
        return cut(template.render(values)) or _EMPTY

    return fill


def _cutter(path: tuple[str | int, ...], owner: Mapping[str, Any]) -> Callable[[str], str]:
    """Return what keeps a text within the limit of its place, without splitting a character."""
    key = path[-1]
    in_flex = "contents" in path
    limit: int | None = None
    if key == "altText":
        return lambda text: _cut_units(text, limits.ALT_TEXT)
    if key == "label":
        limit = limits.FLEX_LABEL if in_flex else limits.LABEL
    elif key == "title":
        limit = limits.TITLE
    elif key == "text" and owner.get("type") == "message":
        limit = limits.ACTION_TEXT
    elif key == "text" and "template" in path:
        limit = _card_text(path, owner)
    if limit is None:
        return lambda text: _cut_units(text, limits.TEXT)
    found = limit
    return lambda text: _cut_graphemes(text, found)


def _card_text(path: tuple[str | int, ...], owner: Mapping[str, Any]) -> int:
    if owner.get("type") == "confirm":
        return limits.CONFIRM_TEXT
    if owner.get("title") or owner.get("thumbnailImageUrl"):
        return limits.BUTTONS_TEXT_WITH_PICTURE
    return limits.COLUMN_TEXT if "columns" in path else limits.BUTTONS_TEXT


def _cut_graphemes(text: str, limit: int) -> str:
    text = text if text.strip() else ""
    return text if len(text) <= limit else shorten(text, limit)


def _cut_units(text: str, limit: int) -> str:
    text = text if text.strip() else ""
    if len(text) * 2 <= limit or utf16_length(text) <= limit:
        return text
    left = limit - 1  # the ellipsis
    kept: list[str] = []
    for found in _GRAPHEME.finditer(text):
        size = utf16_length(found[0])
        if size > left:
            break
        kept.append(found[0])
        left -= size
    return "".join(kept) + "…"
