"""Finding people: by name, e-mail, phone, standing, tag, account; page by page."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field
from sqlalchemy import ColumnElement, Select, and_, func, literal_column, select, tuple_
from sqlalchemy import Text as SqlText
from sqlalchemy.dialects.postgresql import ARRAY

from hiiki.contacts.models import GRAMS, HAYSTACK, Contact, ContactTag, Friendship, Tag
from hiiki.contacts.values import plain
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import _
from hiiki.kit.road import road
from hiiki.workspace.models import Channel

PAGE = 50

_PHONE = re.compile(r"\+?[\d][\d\-() ]{2,}")


def _or_none(value: Any) -> Any:
    return None if value == "" else value


class FriendFilter(BaseModel):
    """Which people a list, an export or a bulk change is about. Empty means everybody."""

    q: Annotated[str, BeforeValidator(lambda v: plain(v) if isinstance(v, str) else v)] = Field(
        default="", max_length=100
    )
    """Words that must all be found in the name, real name, e-mail or phone."""
    status: Annotated[Literal["following", "blocked"] | None, BeforeValidator(_or_none)] = None
    tag: Annotated[UUID | None, BeforeValidator(_or_none)] = None
    channel: Annotated[UUID | None, BeforeValidator(_or_none)] = None
    segment: Annotated[UUID | None, BeforeValidator(_or_none)] = None

    @property
    def is_empty(self) -> bool:
        """True when it narrows nothing."""
        return not self.query()

    def query(self) -> dict[str, str]:
        """Return it as parameters of an address, without what is empty."""
        return {name: str(value) for name, value in self.model_dump().items() if value}


@dataclass(slots=True)
class Friend:
    """A line of the list: a contact with standing and tags."""

    contact: Contact
    friendships: list[Friendship] = field(default_factory=list[Friendship])
    tags: list[Tag] = field(default_factory=list[Tag])

    @property
    def status(self) -> str:
        """following while any account is followed, else blocked; "" for no LINE friend."""
        standings = {each.status for each in self.friendships}
        return "following" if "following" in standings else next(iter(standings), "")

    @property
    def followed_at(self) -> datetime | None:
        """When they were first seen to add an account."""
        moments = [
            each.first_followed_at or each.followed_at
            for each in self.friendships
            if each.first_followed_at or each.followed_at
        ]
        return min((each for each in moments if each), default=None)

    @property
    def last_seen_at(self) -> datetime | None:
        """When they last did something that Hiiki saw."""
        return max(
            (each.last_seen_at for each in self.friendships if each.last_seen_at), default=None
        )


@dataclass(frozen=True, slots=True)
class FriendPage:
    """A page of the list, and the cursors of the pages behind and ahead of it."""

    friends: list[Friend]
    next: str | None
    previous: str | None


async def matching(session: WorkspaceSession, wanted: FriendFilter) -> Select[UUID]:
    """Return the ids of the contacts that `wanted` describes, in no order.

    Raises `NotFound` for a segment that is not here.
    """
    return select(Contact.id).where(*await conditions(session, wanted))


async def count(session: WorkspaceSession, wanted: FriendFilter) -> int:
    """Return how many people `wanted` describes."""
    # What an index alone can tell is read from it, without looking at a single contact.
    if wanted.query().keys() == {"tag"}:
        tagged = select(func.count()).where(ContactTag.tag_id == wanted.tag)
        return await session.scalar(tagged) or 0
    if wanted.status and not (wanted.q or wanted.tag or wanted.segment):
        channels = [wanted.channel] if wanted.channel else await _channels(session)
        if len(channels) == 1:
            standing = select(func.count()).where(
                Friendship.channel_id == channels[0], Friendship.status == wanted.status
            )
            return await session.scalar(standing) or 0
    if wanted.query().keys() == {"segment"}:
        inner = (await road().members(session, cast("UUID", wanted.segment))).subquery()
        counting = select(func.count()).select_from(inner)
        return await session.scalar(counting, execution_options={"scoped_by_hand": True}) or 0
    narrowing = await conditions(session, wanted)
    return await session.scalar(select(func.count(Contact.id)).where(*narrowing)) or 0


async def find(
    session: WorkspaceSession,
    wanted: FriendFilter,
    after: str | None = None,
    limit: int = PAGE,
    *,
    before: str | None = None,
) -> FriendPage:
    """Return the page behind the cursor `after` (or ahead of `before`), the newest first.

    What is added while somebody pages on stands before what they have seen: nothing is
    shown twice or left out. Raises `Invalid` for a cursor that is none.
    """
    place = tuple_(Contact.created_at, Contact.id)
    query = select(Contact).where(*await conditions(session, wanted)).limit(limit + 1)
    if before:
        query = query.where(place > tuple_(*read_cursor(before)))
        query = query.order_by(Contact.created_at, Contact.id)
    else:
        if after:
            query = query.where(place < tuple_(*read_cursor(after)))
        query = query.order_by(Contact.created_at.desc(), Contact.id.desc())
    contacts = list(await session.scalars(query))
    more = len(contacts) > limit
    contacts = contacts[:limit]
    if before:
        contacts.reverse()
    has_next, has_previous = (True, more) if before else (more, bool(after))
    return FriendPage(
        await with_details(session, contacts),
        next=cursor(contacts[-1]) if contacts and has_next else None,
        previous=cursor(contacts[0]) if contacts and has_previous else None,
    )


async def with_details(session: WorkspaceSession, contacts: Sequence[Contact]) -> list[Friend]:
    """Return contacts with their standing and tags, in two queries for all of them."""
    friends = {contact.id: Friend(contact) for contact in contacts}
    if not friends:
        return []
    for friendship in await session.scalars(
        select(Friendship).where(Friendship.contact_id.in_(friends))
    ):
        friends[friendship.contact_id].friendships.append(friendship)
    rows = await session.execute(
        select(ContactTag.contact_id, Tag)
        .join(Tag, Tag.id == ContactTag.tag_id)
        .where(ContactTag.contact_id.in_(friends))
        .order_by(Tag.name)
    )
    for contact_id, tag in rows:
        friends[contact_id].tags.append(tag)
    return list(friends.values())


async def _channels(session: WorkspaceSession) -> list[UUID]:
    return list(await session.scalars(select(Channel.id)))


def cursor(contact: Contact) -> str:
    """Return what stands for "behind this contact" in an address."""
    return _cursor(contact.created_at, contact.id)


def _cursor(at: datetime, ident: UUID) -> str:
    raw = f"{at.isoformat()}|{ident}"
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def read_cursor(typed: str) -> tuple[datetime, UUID]:
    """Return what `cursor` wrote; raises `Invalid` for anything else."""
    try:
        raw = base64.urlsafe_b64decode(typed + "=" * (-len(typed) % 4)).decode()
        moment, ident = raw.split("|")
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None:
            raise ValueError("a moment without its zone")
        return at, UUID(ident)
    except (ValueError, binascii.Error, UnicodeDecodeError) as error:
        raise Invalid(fields={"after": _("This page mark is not valid.")}) from error


def grams(word: str) -> list[str]:
    """Return what the index holds of a word: its pairs of neighbours, or its one character.

    Nothing for a single letter or digit of ASCII: nearly everybody has it.
    """
    if len(word) == 1:
        return [] if word.isascii() else [word]
    return [word[at : at + 2] for at in range(len(word) - 1)]


def words_of(q: str) -> list[str]:
    """Return what must be found, as the index writes it: NFKC, lower case.

    A phone number is looked for as it is stored, without its hyphens.
    """
    text = unicodedata.normalize("NFKC", q).lower()
    if _PHONE.fullmatch(text):
        return [re.sub(r"[\-() ]", "", text)]
    return text.split()


async def conditions(session: WorkspaceSession, wanted: FriendFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for word in words_of(wanted.q):
        known = grams(word)
        if known:
            found.append(literal_column(GRAMS, ARRAY(SqlText)).contains(known))
        if not known or len(word) > 2:
            # The index knows that all pairs are there; that they stand together, the text.
            found.append(literal_column(HAYSTACK, SqlText()).contains(word, autoescape=True))
    if wanted.status or wanted.channel:
        standing = [Friendship.contact_id == Contact.id]
        if wanted.channel:
            standing.append(Friendship.channel_id == wanted.channel)
        if wanted.status:
            standing.append(Friendship.status == wanted.status)
        found.append(select(Friendship.contact_id).where(and_(*standing)).exists())
    if wanted.segment:
        found.append(Contact.id.in_(await road().members(session, wanted.segment)))
    if wanted.tag:
        found.append(
            select(ContactTag.tag_id)
            .where(ContactTag.contact_id == Contact.id, ContactTag.tag_id == wanted.tag)
            .exists()
        )
    return found
