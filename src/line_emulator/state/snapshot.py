"""A platform as bytes, and back.

Whatever is a dataclass is written by its annotations, so a new field needs nothing here. Three
things need care: a sending that a hundred thousand phones share must stay one object, features'
drawers are known by the names of their classes, and token buckets count in a clock that ends with
the process.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import importlib
import time
from array import array
from collections import deque
from collections.abc import Generator
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec

from ..agenda import DUTIES
from ..faults import Fault
from ..journal import Arrivals
from ..lanes import Pending, Stats
from ..model import Channel, Json, Phone, Said, Sending, User
from ..platform import Platform, Setup
from ..stores import Stores
from .file import StateError

T = TypeVar("T")

REQUESTS_KEPT = 1000
"""So many rows of the request log are kept; the numbers go on as they were."""
_BY_HAND = frozenset({"phones", "store", "buckets"})
_PHONE_FIELDS = tuple(f for f in dataclasses.fields(Phone) if f.name != "entries")


def _hook_out(value: Any) -> Any:
    if isinstance(value, deque):
        return list(cast("deque[Any]", value))
    if isinstance(value, array):
        return value.tobytes()
    raise NotImplementedError(f"{type(value).__name__} cannot be kept in a state file")


def _hook_in(kind: Any, value: Any) -> Any:
    origin = get_origin(kind) or kind
    if origin is deque:
        inner = get_args(kind)
        items = msgspec.convert(value, list[inner[0]] if inner else list[Any], dec_hook=_hook_in)
        return deque(items)
    raise NotImplementedError(f"{kind} cannot be read from a state file")


_encode = msgspec.msgpack.Encoder(enc_hook=_hook_out).encode


def _decode(data: bytes, kind: Any) -> Any:
    return msgspec.msgpack.decode(data, type=kind, dec_hook=_hook_in)


_SavedPhone: Any = msgspec.defstruct(
    "_SavedPhone",
    cast(
        Any,
        [
            ("entries", list[int], msgspec.field(default_factory=list[int])),
            *((f.name, get_type_hints(Phone)[f.name], f.default) for f in _PHONE_FIELDS),
        ],
    ),
    omit_defaults=True,
)
"""A phone whose entries are numbers: of a sending, or below zero of something said."""


class _SavedChannel(msgspec.Struct):
    fields: dict[str, msgspec.Raw]
    phones: Any
    drawers: dict[str, msgspec.Raw]
    levels: dict[str, tuple[float, float]]
    stats: msgspec.Raw
    events: list[_SavedEvent]


class _SavedEvent(msgspec.Struct, array_like=True):
    """A webhook event that nobody has answered for yet."""

    event: Json
    order_key: str
    redelivery: bool
    attempts: int


class _SavedArrivals(msgspec.Struct, array_like=True):
    """An entry of the log of deliveries; `people` are numbers of users, four bytes each."""

    first: int
    sending: int
    people: bytes


class _SavedSetup(msgspec.Struct):
    """How a reset begins the story anew; `prepare` are names of functions."""

    fields: Json
    prepare: list[str]


class _Saved(msgspec.Struct):
    saved_at: float
    setup: _SavedSetup
    clock: tuple[float, float | None, float]
    rng: tuple[int, tuple[int, ...], float | None]
    next_message: int
    own_errors: int
    users: list[User]
    sendings: list[Sending]
    said: list[Said]
    channels: list[_SavedChannel]
    drawers: dict[str, msgspec.Raw]
    duties: list[tuple[float, str, Json]]
    deliveries: list[_SavedArrivals]
    last_delivery: int
    requests: list[Json]
    last_request: int
    faults: list[Fault]


class _Numbered:
    """Gives every sending and everything said a number, in the order of first sight."""

    def __init__(self) -> None:
        self.sendings: list[Sending] = []
        self.said: list[Said] = []
        self._numbers: dict[int, int] = {}

    def of(self, entry: Sending | Said) -> int:
        number = self._numbers.get(id(entry))
        if number is None:
            if isinstance(entry, Sending):
                number = len(self.sendings)
                self.sendings.append(entry)
            else:
                self.said.append(entry)
                number = -len(self.said)
            self._numbers[id(entry)] = number
        return number


def _name(one: Any) -> str:
    """The name under which a drawer's class, or a function, is kept."""
    return f"{one.__module__}:{one.__qualname__}"


def _setup_out(setup: Setup) -> _SavedSetup:
    plain = {f.name: getattr(setup, f.name) for f in dataclasses.fields(Setup)}
    return _SavedSetup(plain, [_name(one) for one in plain.pop("prepare")])


def _setup_in(saved: _SavedSetup) -> Setup:
    known = {f.name for f in dataclasses.fields(Setup)}
    if not known.issuperset(saved.fields):
        raise StateError("the state file was begun in a way that this version does not know")
    return Setup(**saved.fields, prepare=tuple(_named(name) for name in saved.prepare))


def _named(name: str) -> Any:
    module, _, qualified = name.partition(":")
    package = __package__.partition(".")[0] if __package__ else ""
    if not module.startswith(f"{package}."):
        raise StateError(f"the state file holds {name}, which is not of this emulator")
    try:
        found: Any = importlib.import_module(module)
        for part in qualified.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        raise StateError(f"the state file holds {name}, which this version does not know") from None
    return found


def keep_drawer(drawer: object) -> bytes:
    """A drawer as bytes. Raises TypeError or NotImplementedError for what cannot be kept."""
    return _encode(drawer)


def read_drawer(kind: type[T], data: bytes) -> T:
    """A drawer from bytes. Raises msgspec.ValidationError."""
    return _decode(data, kind)


def _drawers(store: Stores) -> dict[str, msgspec.Raw]:
    return {_name(type(one)): msgspec.Raw(keep_drawer(one)) for one in store.all()}


def _fill(store: Stores, drawers: dict[str, msgspec.Raw]) -> None:
    for name, data in drawers.items():
        store.put(read_drawer(_named(name), bytes(data)))


@contextlib.contextmanager
def _no_collecting() -> Generator[None]:
    """Make many objects at once, of which none is garbage, without looking for garbage."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


# Out


def snapshot(platform: Platform) -> bytes:
    """The whole state as bytes."""
    with _no_collecting():
        return _snapshot(platform)


def _snapshot(platform: Platform) -> bytes:
    numbered = _Numbered()
    channels = [_channel_out(platform, one, numbered) for one in platform.channels.values()]
    index = {user.id: user.index for user in platform.user_order}
    arrivals = [
        _SavedArrivals(
            block.first,
            numbered.of(block.sending),
            array("I", map(index.__getitem__, block.user_ids)).tobytes(),
        )
        for block in platform.deliveries.blocks()
    ]
    return _encode(
        _Saved(
            saved_at=time.time(),
            setup=_setup_out(platform.setup),
            clock=platform.clock.kept(),
            rng=cast(Any, platform.rng.getstate()),
            next_message=platform.message_ids.next,
            own_errors=platform.own_errors,
            users=platform.user_order,
            sendings=numbered.sendings,
            said=numbered.said,
            channels=channels,
            drawers=_drawers(platform.store),
            duties=platform.agenda.pending(),
            deliveries=arrivals,
            last_delivery=platform.deliveries.last,
            requests=_writable(platform.requests.newest(REQUESTS_KEPT)),
            last_request=platform.requests.last,
            faults=platform.faults.rules,
        )
    )


def _writable(rows: list[Json]) -> list[Json]:
    """The rows with paths as text: half a surrogate pair, say, cannot be written."""
    return [
        row | {n: str(row[n]).encode("utf-8", "replace").decode() for n in ("path", "query")}
        for row in rows
    ]


def _channel_out(platform: Platform, channel: Channel, numbered: _Numbered) -> _SavedChannel:
    names = [f.name for f in dataclasses.fields(Channel) if f.name not in _BY_HAND]
    of = numbered.of
    lane = platform.webhooks.lane(channel)
    return _SavedChannel(
        fields={name: msgspec.Raw(_encode(getattr(channel, name))) for name in names},
        phones={
            user_id: _SavedPhone(
                [of(entry) for entry in phone.entries],
                *[getattr(phone, f.name) for f in _PHONE_FIELDS],
            )
            for user_id, phone in channel.phones.items()
        },
        drawers=_drawers(channel.store),
        levels=channel.buckets.kept(platform.clock.elapsed()),
        stats=msgspec.Raw(_encode({name: getattr(lane.stats, name) for name in Stats.__slots__})),
        events=[
            _SavedEvent(one.event, one.order_key, one.redelivery, one.attempts)
            for one in lane.unsettled
        ],
    )


# In


def restore(platform: Platform, data: bytes) -> None:
    """Make `platform`, which must be as new, what it was when `data` was made.

    Raises StateError when this version cannot read it. Webhook events that were on their way go out
    once more when the event loop runs: call within it, or `WebhookPoster.resume` later.
    """
    try:
        with _no_collecting():
            _restore(platform, _decode(data, _Saved))
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise StateError(f"the state file cannot be read: {error}") from None


def _restore(platform: Platform, saved: _Saved) -> None:
    away = max(0.0, time.time() - saved.saved_at)
    platform.setup = _setup_in(saved.setup)
    platform.clock.restore(*saved.clock)
    platform.rng.setstate(saved.rng)
    platform.message_ids.next = saved.next_message
    platform.own_errors = saved.own_errors
    platform.user_order[:] = saved.users
    platform.users.clear()
    platform.users.update((user.id, user) for user in saved.users)
    platform.channels.clear()
    platform.channel_by_token.clear()
    for one in saved.channels:
        channel = _channel_in(platform, one, saved, away)
        platform.channels[channel.id] = channel
        for issued in channel.tokens.values():
            platform.channel_by_token[issued.token] = channel
    for drawer in platform.store.all():
        platform.store.put(type(drawer)())
    _fill(platform.store, saved.drawers)
    for when, name, given in saved.duties:
        if name not in DUTIES:
            raise StateError(f"the state file wants {name} done, which this version does not know")
        platform.agenda.at(when, name, given)
    ids = [user.id for user in saved.users]
    blocks = [
        Arrivals(one.first, saved.sendings[one.sending],
                 list(map(ids.__getitem__, array("I", one.people))))
        for one in saved.deliveries
    ]  # fmt: skip
    platform.deliveries.restore(blocks, saved.last_delivery)
    platform.requests.restore(saved.requests, saved.last_request)
    platform.faults.restore(saved.faults)


def _channel_in(platform: Platform, one: _SavedChannel, saved: _Saved, away: float) -> Channel:
    hints = get_type_hints(Channel)
    unknown = set(one.fields) - set(hints)
    if unknown:
        raise StateError(
            f"the state file's channels have {', '.join(sorted(unknown))}, "
            "which this version does not know"
        )
    values = {name: _decode(bytes(data), hints[name]) for name, data in one.fields.items()}
    queues = {
        name: cast("deque[Any]", value)
        for name, value in values.items()
        if isinstance(value, deque)
    }
    channel = Channel(**{name: value for name, value in values.items() if name not in queues})
    for name, value in queues.items():
        getattr(channel, name).extend(value)  # the channel's own knows how long it may grow
    sendings, said = saved.sendings, saved.said
    names = [f.name for f in _PHONE_FIELDS]
    phones = msgspec.convert(one.phones, dict[str, _SavedPhone])
    for user_id, kept in phones.items():
        phone = channel.phones[user_id] = Phone(**{name: getattr(kept, name) for name in names})
        phone.entries = [sendings[n] if n >= 0 else said[-n - 1] for n in kept.entries]
    _fill(channel.store, one.drawers)
    channel.buckets.restore(one.levels, platform.clock.elapsed(), away)
    lane = platform.webhooks.lane(channel)
    for name, value in msgspec.msgpack.decode(one.stats).items():
        if name == "errors":
            lane.stats.errors.extend(value)
        elif name in Stats.__slots__:
            setattr(lane.stats, name, value)
    for event in one.events:
        item = Pending(event.event, event.order_key, event.redelivery)
        item.attempts = event.attempts
        lane.unsettled[item] = None
    return channel
