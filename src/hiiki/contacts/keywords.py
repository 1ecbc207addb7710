"""What a note teaches: words in it that suggest a tag, or a value of an attribute.

The words are the shop's own, each with what it suggests; a tag's own name is one of itself. They
only suggest: nothing is set before somebody says so.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal_column, select

from hiiki.contacts.attributes import values_of
from hiiki.contacts.models import Attribute, ContactTag, Keyword, Note, Tag
from hiiki.contacts.people import put_tag, put_value
from hiiki.contacts.schemas import KeywordIn
from hiiki.contacts.values import parse_value, shown
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.i18n import _
from hiiki.kit.road import Usage
from hiiki.workspace.access import Access

LIMIT = 500
NFKC: ColumnElement[str] = literal_column("NFKC")
SHORTEST = 2
"""A tag's name of one letter stands in nearly every note."""
AT_MOST = 20
PAGE = 50


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a note suggests: a tag, or a value of an attribute."""

    key: str
    """Under which it is accepted: `tag:<id>` or `word:<id>`."""
    word: str
    tag: Tag | None = None
    attribute: Attribute | None = None
    value: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """A line of the shop's list."""

    keyword: Keyword
    tag: Tag | None
    attribute: Attribute | None


def plain_word(typed: str) -> str:
    """Return text as words are looked for in it: NFKC, lower case, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", typed).lower().split())


async def all_words(session: WorkspaceSession) -> list[Word]:
    """Return the shop's words in their order."""
    rows = await session.execute(
        select(Keyword, Tag, Attribute)
        .outerjoin(Tag, Tag.id == Keyword.tag_id)
        .outerjoin(Attribute, Attribute.id == Keyword.attribute_id)
        .order_by(Keyword.word, Keyword.id)
    )
    return [Word(*row) for row in rows]


async def add_word(session: WorkspaceSession, typed: KeywordIn) -> Keyword:
    """Add a word; raises `Invalid` at what is wrong, `Conflict` when there are too many."""
    tag = attribute = None
    if typed.tag_id is not None:
        tag = await session.one(Tag, typed.tag_id)
    elif typed.attribute_id is not None:
        attribute = await session.one(Attribute, typed.attribute_id)
        if parse_value(attribute, typed.value) is None:
            raise Invalid(fields={"value": _("Please enter a value.")})
    else:
        raise Invalid(fields={"tag_id": _("Please choose a tag or an attribute.")})
    word = plain_word(typed.word)
    words = await all_words(session)
    if len(words) >= LIMIT:
        raise Conflict(_("There are %(n)s words already; please delete some.", n=LIMIT))
    if any(
        each.keyword.word == word
        and (each.keyword.tag_id, each.keyword.attribute_id)
        == (tag.id if tag else None, attribute.id if attribute else None)
        for each in words
    ):
        raise Invalid(fields={"word": _("This word suggests that already.")})
    keyword = Keyword(
        word=word,
        tag_id=tag.id if tag else None,
        attribute_id=attribute.id if attribute else None,
        value=typed.value if attribute else "",
    )
    session.add(keyword)
    await session.flush()
    return keyword


async def suggest(session: WorkspaceSession, contact_id: UUID, body: str) -> list[Suggestion]:
    """Return what a note about a contact suggests, and is not so already."""
    said = plain_word(body)
    if not said:
        return []
    has = set(
        await session.scalars(select(ContactTag.tag_id).where(ContactTag.contact_id == contact_id))
    )
    values = await values_of(session, contact_id)
    found: dict[str, Suggestion] = {}
    for each in await all_words(session):
        if each.keyword.word not in said:
            continue
        if each.tag is not None and each.tag.id not in has:
            key = f"tag:{each.tag.id}"
            found.setdefault(key, Suggestion(key, each.keyword.word, tag=each.tag))
        elif each.attribute is not None:
            given = shown(values.get(each.attribute.id))
            if each.keyword.value != given:
                key = f"word:{each.keyword.id}"
                found[key] = Suggestion(
                    key, each.keyword.word, attribute=each.attribute, value=each.keyword.value
                )
    # The name is looked for in the note by PostgreSQL, so that thousands of tags are not read.
    named = await session.scalars(
        select(Tag)
        .where(
            func.length(Tag.name) >= SHORTEST,
            func.strpos(said, func.lower(func.normalize(Tag.name, NFKC))) > 0,
        )
        .order_by(Tag.name)
        .limit(AT_MOST)
    )
    for tag in named:
        key = f"tag:{tag.id}"
        if tag.id not in has:
            found.setdefault(key, Suggestion(key, tag.name, tag=tag))
    return list(found.values())[:AT_MOST]


async def accept(
    session: WorkspaceSession,
    access: Access,
    contact_id: UUID,
    body: str,
    keys: Sequence[str] | None = None,
) -> list[Suggestion]:
    """Set what a note suggests, in the name of who asks: all of it, or what `keys` names."""
    taken = [
        each
        for each in await suggest(session, contact_id, body)
        if keys is None or each.key in keys
    ]
    for each in taken:
        if each.tag is not None:
            await put_tag(session, access, contact_id, each.tag.id)
        elif each.attribute is not None:
            await put_value(session, access, contact_id, each.attribute, each.value)
    return taken


async def find_notes(
    session: WorkspaceSession, q: str = "", page: int = 1, limit: int = PAGE
) -> list[Note]:
    """Return one more than a page of notes that hold all these words, the latest first."""
    query = select(Note).order_by(Note.created_at.desc(), Note.id.desc())
    for word in plain_word(q).split():
        query = query.where(func.strpos(func.lower(func.normalize(Note.body, NFKC)), word) > 0)
    return list(await session.scalars(query.offset((page - 1) * limit).limit(limit + 1)))


async def usages(session: WorkspaceSession, kind: str, ident: UUID) -> list[Usage]:
    """Return which words suggest a tag or an attribute."""
    column = {"tag": Keyword.tag_id, "attribute": Keyword.attribute_id}.get(kind)
    if column is None:
        return []
    words = await session.scalars(select(Keyword.word).where(column == ident).limit(AT_MOST))
    return [Usage(f"{_('Words in notes')}: {word}", "/notes/words") for word in words]
