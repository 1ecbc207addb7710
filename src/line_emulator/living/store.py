"""How simulated people behave, and what they are about to do.

A behaviour is a set of chances for some of the people. Who is about to do something waits in a
wave: all whom one sending reached, or all who may do something of their own accord today. A wave is
one list of numbers and one duty of the agenda, so a hundred thousand people who are thinking cost a
few megabytes and no timers.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Who:
    """Some of the people: all conditions must be met.

    `share` is a part (0 to 1) of those whom no earlier behaviour took. The others are what LINE
    believes to know of a person (see `audience.people`); ages are in years, both ends included.
    """

    share: float = 1.0
    users: list[str] | None = None
    gender: str | None = None
    age_from: int | None = None
    age_to: int | None = None
    app_type: str | None = None
    areas: list[str] | None = None


@dataclass(slots=True)
class Thinking:
    """How long people take, in seconds: log-normal around `median`, never outside the ends."""

    min: float = 1.0
    median: float = 5.0
    max: float = 60.0


@dataclass(slots=True)
class Goods:
    """Something that can be bought; `price` is for one, in the shop's currency."""

    sku: str
    name: str = ""
    price: float = 0.0


@dataclass(slots=True)
class Buying:
    """Orders that people place with the shop: a POST of JSON to `url` for each.

    `chance` is for each sending that was opened; an order has 1 to `most` of each of up to three
    `goods`. `fields` are added to every order as they are.
    """

    url: str
    chance: float = 0.0
    goods: list[Goods] = field(default_factory=list[Goods])
    most: int = 2
    headers: dict[str, str] = field(default_factory=dict[str, str])
    fields: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class Behaviour:
    """What some of the people do. What is not said does not happen, but for opening.

    Chances are from 0 to 1. `open` is for each sending that arrives; `play`, `block`,
    `quick_reply`, `coupon`, `button`, `link`, `menu` and `answer` are for each that was opened, and
    the first that happens of them, in this order, is all that the person does about it (playing
    aside). `follow`, `unblock` and `drop_in` are for each day. `before_opening` and `before_acting`
    are pauses. `visit` makes a tapped link really be fetched. `most_a_day` bounds what one person
    does.
    """

    name: str = "everybody"
    channel: str | None = None
    who: Who = field(default_factory=Who)
    before_opening: Thinking = field(default_factory=Thinking)
    before_acting: Thinking = field(default_factory=Thinking)
    open: float = 1.0
    play: float = 0.0
    block: float = 0.0
    quick_reply: float = 0.0
    coupon: float = 0.0
    button: float = 0.0
    link: float = 0.0
    menu: float = 0.0
    answer: float = 0.0
    answers: list[str] = field(default_factory=list[str])
    follow: float = 0.0
    unblock: float = 0.0
    drop_in: float = 0.0
    visit: bool = False
    buy: Buying | None = None
    most_a_day: int = 50


@dataclass(slots=True)
class Wave:
    """People who are about to do something with one channel.

    `name` tells the occasion from all others. `message` is the first message id of the sending that
    reached them; none for what people do of their own accord. `waiting` are those not yet thought
    of, from `thought` on. `plans` is a heap: see `plan`. `began` is in seconds since 1970.
    """

    channel: str
    name: str
    began: float
    message: str | None = None
    request_id: str | None = None
    waiting: list[str] = field(default_factory=list[str])
    thought: int = 0
    plans: list[int] = field(default_factory=list[int])


@dataclass(slots=True)
class Living:
    """All that the platform remembers of it.

    `pace` makes everything so many times quicker. `life` counts how often behaviours were set.
    """

    behaviours: list[Behaviour] = field(default_factory=list[Behaviour])
    seed: int = 1
    pace: float = 1.0
    paused: bool = False
    waves: dict[int, Wave] = field(default_factory=dict[int, Wave])
    next_wave: int = 1
    life: int = 0
    today: str = ""
    done_today: dict[int, int] = field(default_factory=dict[int, int])
    counts: dict[str, int] = field(default_factory=dict[str, int])

    def count(self, what: str) -> None:
        """One more of these has happened."""
        self.counts[what] = self.counts.get(what, 0) + 1


_ACTING = 1
_INDEX_BITS = 25
_INDEX_MASK = (1 << _INDEX_BITS) - 1


def plan(milliseconds: int, index: int, *, acting: bool) -> int:
    """A person's plan as one number, which sorts by time.

    `milliseconds` count from the wave's beginning, `index` is the `User.index`; `acting` tells what
    the person does after opening from the opening itself.
    """
    return (milliseconds << _INDEX_BITS | index) << 1 | (_ACTING if acting else 0)


def read_plan(number: int) -> tuple[int, int, bool]:
    """Milliseconds, index and acting of a plan."""
    return number >> 1 + _INDEX_BITS, number >> 1 & _INDEX_MASK, bool(number & _ACTING)
