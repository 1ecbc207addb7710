"""What a room adds to the main road: events in, actions out.

A room declares one `Room` in its `room.py`. `hiiki.rooms` lists them; the console, the
API, the workers and the editors are built from that list, so a new capability is a
folder and one line, and nothing in the core changes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Protocol
from uuid import UUID

from pydantic import BaseModel

from hiiki.kit.exportable import Exportable
from hiiki.kit.i18n import Text
from hiiki.kit.importable import Importable


class Happening(Protocol):
    """An event as a reaction sees it (`hiiki.timeline.Event`)."""

    id: Any
    contact_id: Any
    channel_id: Any
    at: Any
    kind: Any
    subject: Any
    value: Any
    data: Any


class ActionContext(Protocol):
    """What an action or a reaction may use (`hiiki.actions.context.Context`)."""

    session: Any
    """The `WorkspaceSession` of the transaction in which everything happens."""
    contact_id: UUID
    channel_id: UUID | None
    cause: Any
    """The event that is being reacted to, or None."""
    answered: bool
    """Set it when you have dealt with what was said, so that nothing else answers."""

    def say(self, messages: Sequence[dict[str, Any]], subject: str = "") -> None:
        """Say these LINE messages to the contact once the transaction is through."""

    async def emit(
        self,
        kind: str,
        *,
        at: datetime | None = None,
        subject: object = "",
        value: Decimal | int | None = None,
        data: dict[str, Any] | None = None,
    ) -> Any:
        """Record an event and let everything that waits for it run."""

    async def run(self, actions: Sequence[dict[str, Any]], origin: str = "") -> None:
        """Run stored actions, each `{"kind": …, …parameters}`, in order.

        `origin` says what they belong to (`survey:<id>`), for staff to see when one refuses.
        """

    async def close(self) -> None:
        """Hand over what was said; nothing may be said afterwards."""


@dataclass(frozen=True, slots=True)
class EventKind:
    """A kind of thing that can happen to a contact, as it stands on the timeline."""

    name: str
    """Its name in `timeline.event.kind`, such as `survey_finish`."""
    label: Text
    """What staff read, such as "Finished a survey"."""
    icon: str
    """A Tabler icon without its `ti-`."""
    subject: str = ""
    """The picker that names what `subject` points at (`survey`, `link`, …); "" for none."""
    starts_rules: bool = True
    """Whether staff may choose it as what a rule waits for."""
    tally: Literal["kind", "subject", ""] = "kind"
    """What is kept count of for each contact (`hiiki.timeline.models.Tally`), so that segments
    need not read every event: all of the kind, those of each subject, or nothing. Kinds that come
    by the million at once, as what is sent, are not counted."""
    value_is: Literal["number", "money", "times"] = "number"
    """What the value of one is: of the workspace's currency, how many times, or a bare number."""


@dataclass(frozen=True, slots=True)
class ActionKind:
    """A kind of thing Hiiki can do to a contact.

    `params` is a Pydantic model; the console draws its form from the model's fields.
    A field with `json_schema_extra={"picker": "tag"}` is drawn as a choice of tags.
    `run(context, params)` gets a `hiiki.actions.context.Context`; it must be safe to run
    inside the transaction of the event that caused it, so it never speaks to LINE itself:
    what is to be said goes through `context.say`.
    """

    name: str
    label: Text
    icon: str
    params: type[BaseModel]
    run: Callable[[ActionContext, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reaction:
    """Code of a room that wants to know of every event of a kind (a survey hears messages)."""

    kind: str
    run: Callable[[ActionContext, Happening], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Option:
    """One thing a picker offers."""

    value: str
    label: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Picker:
    """A list to choose from: tags, surveys, coupons, … `options(session)` reads it."""

    name: str
    label: Text
    options: Callable[[Any], Awaitable[Sequence[Option]]]


@dataclass(frozen=True, slots=True)
class Card:
    """How a thing of a room (a coupon) stands in a message: a card with one button.

    The button opens `path` on this server, followed by the link's code and the
    recipient's ticket (`hiiki.content.tickets`), so that the page knows who came.
    """

    label: str
    """What it is, in a word, such as "Coupon"."""
    title: str
    highlight: str
    """What is to be seen first, such as "10% off"."""
    text: str
    """A line or two below it, such as until when."""
    button: str
    path: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A card of a room that a message may hold as it is, with nothing to choose: "link your
    account". What is chosen from a list (a coupon) is in `Room.cards`."""

    label: Text
    """What staff read on the composer's button."""
    icon: str
    """A Tabler icon without its `ti-`."""
    hint: Text
    """What staff read below it in the composer: what recipients get."""
    card: Callable[[Any], Awaitable[Card]]
    """`card(session)`."""


@dataclass(frozen=True, slots=True)
class Usage:
    """A place that uses something, shown when somebody wants to delete that thing."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a room works out about each contact: what she has spent, her rank, her cell.

    Segments ask about it, and the friend's page, exports and messages show it, without knowing
    the room. What a person or the shop enters is an attribute (友だち情報) and not a field.
    """

    name: str
    """`<room>.<what>`, as `purchases.spent`."""
    label: Text
    kind: str
    """number, money (of the workspace's currency), share (0 to 1), day, moment, choice or flag."""
    column: Any
    """The mapped column it stands in. Its table is `Owned`, and its primary key is `contact_id`:
    at most one row a person."""
    choices: Sequence[tuple[str, Text]] = ()
    """For a choice: each value and what staff read."""
    nothing: Decimal | bool | str | None = None
    """What holds for people without a row (nothing bought: 0). None: for them it is not known."""
    mark: Callable[[Any], Awaitable[str]] | None = None
    """`mark(session)`: by which definition the values that stand now were worked out, as any text
    that changes with it (a shop's own bounds of ranks). Who has another value for such a change
    alone has done nothing, and enters no segment by it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question of a ready survey."""

    kind: str
    """choice, choices, text, number or date."""
    title: Text
    choices: Sequence[Text] = ()
    presentation: str = "quick_reply"
    ends: Sequence[int] = ()
    """Places of those choices after which nothing more is asked, from 0."""


@dataclass(frozen=True, slots=True)
class ReadySurvey:
    """A survey that a room offers ready to use: a shop takes it and changes what it likes."""

    key: str
    name: Text
    about: Text
    """What a shop learns by it."""
    intro: Text
    thanks: Text
    questions: Sequence[Ask]


@dataclass(frozen=True, slots=True)
class MadeSurvey:
    """A survey that has been made of a ready one, for the room that is going to read it."""

    id: UUID
    url: str
    """Its editor."""
    questions: Sequence[tuple[UUID, Sequence[str]]]
    """Each question's id and the ids of its choices, in the order of the ready survey."""


@dataclass(frozen=True, slots=True)
class NavItem:
    """A line of the console's left-hand navigation."""

    section: str
    """One of the sections of `hiiki.web.navigation`: home, friends, segments, …"""
    label: Text
    icon: str
    url: str
    order: int = 50
    role: str = "viewer"
    """Who sees it: viewer, operator or owner, as the page itself asks for."""


@dataclass(frozen=True, slots=True)
class Direct:
    """An address below which programs post by the thousand a second.

    Its posts go past sessions, languages and forms (`hiiki.web.direct`), any of which costs
    more than keeping what was posted.
    """

    prefix: str
    """One step, as `/webhook/`; what follows, without a further `/`, is the key."""
    most: int
    """Bytes of a body."""
    take: Callable[[str, bytes, Callable[[str], str | None]], Awaitable[None]]
    """`take(key, body, header)`, where `header(name)` looks for a header by its name in lower
    case. The answer is 200 and `{}`, or the `HiikiError` that it raises, in English."""


@dataclass(frozen=True, slots=True)
class Room:
    """Everything one room adds. Whatever is left out, it has none of."""

    name: str
    pages: Sequence[Any] = ()
    """Litestar handlers of the console; they need a log-in."""
    api: Sequence[Any] = ()
    """Litestar handlers below /api/v1; they need a token."""
    public: Sequence[Any] = ()
    """Litestar handlers that customers reach without a log-in."""
    direct: Sequence[Direct] = ()
    """What comes by the thousand a second, and goes past everything that pages need."""
    nav: Sequence[NavItem] = ()
    events: Sequence[EventKind] = ()
    actions: Sequence[ActionKind] = ()
    reactions: Sequence[Reaction] = ()
    pickers: Sequence[Picker] = ()
    fields: Sequence[Field] = ()
    imports: Sequence[Importable] = ()
    """What can be brought in by a file (`hiiki.kit.importable`)."""
    exports: Sequence[Exportable] = ()
    """What can be taken along as a file (`hiiki.kit.exportable`)."""
    surveys: Sequence[ReadySurvey] = ()
    """Surveys that shops find ready to use."""
    make_survey: Callable[[Any, str], Awaitable[MadeSurvey]] | None = None
    """Set by `surveys` alone: `make_survey(session, key)`, by which its neighbours have one of
    the ready surveys made (`Registry.make_survey`)."""
    uses: Callable[[Any, str, UUID], Awaitable[Sequence[Usage]]] | None = None
    """`uses(session, kind, id)`: where this room uses the tag, segment, … with this id."""
    hinders: Callable[[Any, UUID, str, Sequence[str]], Awaitable[Sequence[Usage]]] | None = None
    """`hinders(session, attribute_id, kind, choices)`: where this room uses an attribute in a way
    that would make no sense if it were of that kind. Without it, wherever it uses it."""
    cards: Mapping[str, Callable[[Any, UUID], Awaitable[Card]]] = field(
        default_factory=dict[str, Callable[[Any, UUID], Awaitable[Card]]]
    )
    """What a message may hold of this room: kind → `card(session, id)`, which raises `NotFound`."""
    friend_parts: Sequence[str] = ()
    """Parts of a friend's page: the console loads `/friends/<id>/<part>` into its side, which
    answers with a card."""
    pieces: Mapping[str, Piece] = field(default_factory=dict[str, Piece])
    """Cards that a message may hold of this room, one of a kind."""
    members: Callable[[Any, UUID], Awaitable[Any]] | None = None
    """Set by `segments` alone: `members(session, segment_id)`, the ids of a segment's members as a
    query that walls itself in, for rooms below it (`Registry.members`)."""
    context: Callable[[Any, UUID, UUID | None], ActionContext] | None = None
    """Set by `actions` alone: `context(session, contact_id, channel_id)`, by which rooms below
    it cause events (`Registry.emit`)."""
    forecast: Callable[[Any, Any, int, int], Awaitable[Any]] | None = None
    """Set by `delivery` alone: `forecast(session, channel, recipients, everybody)`, by which rooms
    below it say what sending would cost (`hiiki.delivery.forecast.Forecast`)."""
    erase: Callable[[Any, UUID], Awaitable[None]] | None = None
    """`erase(session, contact_id)`: forget what this room keeps of a contact elsewhere than in
    rows with a `contact_id`; those go of themselves (`hiiki.contacts.erasure`)."""
    merge: Callable[[Any, UUID, UUID], Awaitable[None]] | None = None
    """`merge(session, keep, gone)`: make right what this room keeps of the contact `keep`, of whom
    `gone` has become a part (`hiiki.contacts.merging`). Rows with a `contact_id` have been moved
    already; of two that exclude each other (as one row a person does) the one of `keep` is left,
    so what is worked out of others is to be worked out anew."""
    tasks: Any = None
    """A Procrastinate blueprint with the room's jobs."""
    loops: Mapping[str, Callable[[Any], Awaitable[None]]] = field(
        default_factory=dict[str, Callable[[Any], Awaitable[None]]]
    )
    """Long-running parts of the worker: name → `run(stop: asyncio.Event)`."""


class Registry:
    """All rooms together, by what they add."""

    def __init__(self, rooms: Sequence[Room]) -> None:
        self.rooms = tuple(rooms)
        self.events = {kind.name: kind for room in rooms for kind in room.events}
        self.actions = {kind.name: kind for room in rooms for kind in room.actions}
        self.pickers = {picker.name: picker for room in rooms for picker in room.pickers}
        self.fields = {field.name: field for room in rooms for field in room.fields}
        self.exports = {one.name: one for room in rooms for one in room.exports}
        self.imports = {one.name: one for room in rooms for one in room.imports}
        self.surveys = {one.key: one for room in rooms for one in room.surveys}
        self.reactions: dict[str, list[Reaction]] = {}
        for room in rooms:
            for reaction in room.reactions:
                self.reactions.setdefault(reaction.kind, []).append(reaction)
        self.cards = {kind: card for room in rooms for kind, card in room.cards.items()}
        self.friend_parts = [part for room in rooms for part in room.friend_parts]
        self.pieces = {kind: piece for room in rooms for kind, piece in room.pieces.items()}
        self._context = next((room.context for room in rooms if room.context), None)
        self._forecast = next((room.forecast for room in rooms if room.forecast), None)
        self._members = next((room.members for room in rooms if room.members), None)
        self._make_survey = next((room.make_survey for room in rooms if room.make_survey), None)

    async def members(self, session: Any, segment_id: UUID) -> Any:
        """Return the ids of a segment's members, as a query.

        Raises `NotFound` for a segment that is not here, `Invalid` for one that refers to what has
        been deleted.
        """
        assert self._members is not None, "no room says who is in a segment"
        return await self._members(session, segment_id)

    async def emit(
        self,
        session: Any,
        contact_id: UUID,
        channel_id: UUID | None,
        kind: str,
        *,
        subject: object = "",
        value: Decimal | int | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        """Record one event of a contact, with all that follows from it, in this transaction.

        For rooms below `actions`, and for events that come from a page and not from LINE.
        """
        assert self._context is not None, "no room says how events run"
        context = self._context(session, contact_id, channel_id)
        await context.emit(kind, subject=subject, value=value, data=data)
        await context.close()

    async def make_survey(self, session: Any, key: str) -> MadeSurvey:
        """Make the ready survey of this key as a draft, in this transaction's language.

        For rooms that read its answers; raises `NotFound` when no room offers it.
        """
        assert self._make_survey is not None, "no room makes surveys"
        return await self._make_survey(session, key)

    async def forecast(self, session: Any, channel: Any, recipients: int, everybody: int) -> Any:
        """Return what one message to `recipients` of `everybody` would cost, and save."""
        assert self._forecast is not None, "no room says what sending costs"
        return await self._forecast(session, channel, recipients, everybody)

    async def usages(self, session: Any, kind: str, ident: UUID) -> list[Usage]:
        """Return every place that uses the `kind` (`tag`, `segment`, …) with this id."""
        found: list[Usage] = []
        for room in self.rooms:
            if room.uses is not None:
                found.extend(await room.uses(session, kind, ident))
        return found

    async def hindrances(
        self, session: Any, attribute_id: UUID, kind: str, choices: Sequence[str]
    ) -> list[Usage]:
        """Return every place that would make no sense if an attribute were of another kind."""
        found: list[Usage] = []
        for room in self.rooms:
            if room.hinders is not None:
                found.extend(await room.hinders(session, attribute_id, kind, choices))
            elif room.uses is not None:
                found.extend(await room.uses(session, "attribute", attribute_id))
        return found

    async def erase(self, session: Any, contact_id: UUID) -> None:
        """Let every room forget what it keeps of a contact outside rows of their own."""
        # From the doors inwards: what is just being handled is waited for before delivery is
        # asked, which then sees what has been said.
        for room in reversed(self.rooms):
            if room.erase is not None:
                await room.erase(session, contact_id)

    async def merge(self, session: Any, keep: UUID, gone: UUID) -> None:
        """Let every room make right what it keeps of a contact who has taken in another."""
        for room in self.rooms:
            if room.merge is not None:
                await room.merge(session, keep, gone)


_registry: Registry | None = None


def open_road(rooms: Sequence[Room]) -> Registry:
    """Set this process's rooms; `hiiki.rooms` does so when it is imported."""
    global _registry
    _registry = Registry(rooms)
    return _registry


def road() -> Registry:
    """Return this process's rooms; raises `RuntimeError` before they are set."""
    if _registry is None:
        raise RuntimeError("the road is not open: import hiiki.rooms first")
    return _registry
