"""What it takes to kill workers at interesting instants, and work worth being killed at."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from hiiki.db import WorkspaceSession, scope
from hiiki.delivery.models import Parcel, Send
from hiiki.delivery.service import say
from hiiki.kit.clock import now
from line_emulator.emulator import Emulator
from line_emulator.model import ReplyToken

from .conftest import Account, Forked, until

PERSONAL = [{"type": "text", "text": "{{ name }}さん"}]
_SENDING = {"match": {"path": "/v2/bot/message/", "method": "POST"}}
FAULTS: list[dict[str, Any]] = [
    {"kind": "500_after", "probability": 0.10, **_SENDING},
    {"kind": "500_before", "probability": 0.05, **_SENDING},
    {"kind": "429", "probability": 0.03, **_SENDING},
    {"kind": "reset", "accept": True, "probability": 0.05, **_SENDING},
    {"kind": "reset", "accept": False, "probability": 0.03, **_SENDING},
    {"kind": "timeout", "accept": True, "probability": 0.02, "count": 5, **_SENDING},
    {"kind": "timeout", "accept": False, "probability": 0.02, "count": 5, **_SENDING},
    {"kind": "slow", "seconds": 0.05, "probability": 0.5, **_SENDING},
]
BULK, PUSHES, REPLIES = 8, 3, 3
PEOPLE = BULK + PUSHES + REPLIES
"""How many people a round of work is for."""
REPLY_SECONDS = 600
"""For how long a reply token is good: long enough, however slow the machine, that none is left
in doubt when its time is over. What happens then is another test's business."""


class Watch:
    """Sees the requests to send that come to LINE, at the very moment, and their answers go."""

    def __init__(self, line: Emulator) -> None:
        self._place, self._path, self._left = "", "", 0
        self._strike: Callable[[], None] = lambda: None
        self._struck = asyncio.Event()
        faults, log = line.platform.faults, line.platform.requests
        strike, add = faults.strike, log.add

        def coming(method: str, path: str, *more: Any, **others: Any) -> Any:
            self._tell("coming", method, path)
            return strike(method, path, *more, **others)

        def answered(row: dict[str, Any]) -> None:
            add(row)
            self._tell("answered", row["method"], row["path"])

        # Between its code and the network there is nothing else at which to stand.
        faults.strike, log.add = coming, answered  # type: ignore[method-assign]

    def _tell(self, place: str, method: str, path: str) -> None:
        if method == "POST" and place == self._place and path.startswith(self._path):
            self._left -= 1
            if self._left == 0:
                self._strike()
                self._struck.set()

    async def nth(
        self,
        place: str,
        number: int,
        strike: Callable[[], None],
        *,
        method: str = "",
        seconds: float = 3,
    ) -> None:
        """Call `strike` when the nth request (of this method) is `place`: coming, or answered.

        LINE has seen nothing of it in the one case, and has done it in the other, while the
        worker has not had a byte of the answer. Returns all the same when none comes.
        """
        self._path = f"/v2/bot/message/{method}"
        self._place, self._left, self._strike = place, number, strike
        self._struck.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._struck.wait(), seconds)
        self._place = ""


class Work:
    """Sends of all kinds, to people who have not had any: each is to get exactly one message."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._given = 0

    def next(self, count: int) -> range:
        """Return the places of the next people in the account's lists."""
        self._given += count
        return range(self._given - count, self._given)

    async def more(self) -> None:
        """One more round: in turn by multicast and by personal push, and always by word."""
        account = self._account
        chosen = [account.contacts[n] for n in self.next(BULK)]
        if self._given // PEOPLE % 2:
            await account.send(to=chosen)
        else:
            await account.send(to=chosen, messages=PERSONAL, personal=True)
        async with scope(account.workspace_id) as session:
            for n in self.next(PUSHES):
                await self._say(session, n)
            for n in self.next(REPLIES):
                good = {"reply_until": now() + timedelta(seconds=REPLY_SECONDS)}
                await self._say(session, n, reply_token=self._token(n), **good)

    async def _say(self, session: WorkspaceSession, n: int, **reply: Any) -> None:
        await say(
            session,
            contact_id=self._account.contacts[n],
            channel_id=self._account.channel_id,
            messages=[{"type": "text", "text": "やあ"}],
            **reply,
        )

    def _token(self, n: int) -> str:
        """A reply token such as LINE gives when the person has just written."""
        platform, token = self._account.line.platform, uuid4().hex
        moment = platform.clock.now()
        given = ReplyToken(self._account.users[n], moment, moment + REPLY_SECONDS)
        platform.channels[self._account.line_channel_id].reply_tokens[token] = given
        return token


class Toll:
    """What kills have left behind; a test that only killed idle workers would prove nothing."""

    def __init__(self) -> None:
        self._known: set[tuple[UUID, int]] = set()
        self.kills = 0
        self.idle = 0
        """Nothing was under way."""
        self.unheard = 0
        """LINE had accepted something, and the database did not know."""
        self.undone = 0
        """Something had been claimed which LINE had not accepted."""

    async def count(self, account: Account) -> None:
        """See what the last kill has left."""
        async with scope(account.workspace_id) as session:
            held = await session.execute(
                select(Parcel.id, Parcel.attempts, Parcel.line_user_ids).where(
                    Parcel.state == "sending"
                )
            )
            found = {(ident, attempts): users[0] for ident, attempts, users in held}
        arrived = account.arrivals()
        heard = [user in arrived for lease, user in found.items() if lease not in self._known]
        self._known |= found.keys()
        self.kills += 1
        self.idle += not heard
        self.unheard += any(heard)
        self.undone += not all(heard)


async def kill(dice: random.Random, watch: Watch, victims: Sequence[Forked]) -> None:
    """Kill at an instant that the dice choose: a place, and some time after it."""

    def strike() -> None:
        for victim in victims:
            victim.strike()

    place = dice.choices(["coming", "answered", "begun"], [4, 5, 1])[0]
    delay = dice.choice([0.0, 0.0, 0.0, 0.003, 0.006, 0.012, 0.025, 0.05])
    if place == "begun":
        await asyncio.sleep(dice.uniform(0.1, 0.5))
    else:
        await watch.nth(place, dice.randint(1, 8), strike if delay == 0 else lambda: None)
        await asyncio.sleep(delay)
    for victim in victims:
        await victim.kill()


async def all_once(account: Account, seconds: float = 60) -> None:
    """Wait until everything is done; everybody must have got one message, and one `sent` event."""
    deadline = time.monotonic() + seconds
    while (states := await _states(account)).keys() != {"accepted"}:
        assert time.monotonic() < deadline, await _states(account, Parcel.method, Parcel.error)
        # What waits for another try need not wait in a test. Leases run out in their own time.
        await account.execute(
            "update delivery.parcel set next_attempt_at = now()"
            " where state = 'ready' and next_attempt_at > now() + interval '0.5 seconds'"
        )
        await asyncio.sleep(0.25)
    assert states
    with suppress(AssertionError):  # the counts say more than that it took too long
        await until(partial(_as_many_events, account), 15)
    assert differing(account.arrivals(), account.users) == {}
    assert differing(await account.sent_events(), account.contacts) == {}
    async with scope(account.workspace_id) as session:
        sends = list(await session.scalars(select(Send)))
    assert {(send.state, send.targeted - send.accepted) for send in sends} <= {("done", 0)}
    assert account.line.platform.own_errors == 0


async def _states(account: Account, *more: Any) -> Counter[Any]:
    async with scope(account.workspace_id) as session:
        found = list(await session.execute(select(Parcel.state, *more)))
    return Counter(row if more else row[0] for row in found)


async def _as_many_events(account: Account) -> bool:
    return (await account.sent_events()).total() >= len(account.users)


def differing(counts: Counter[Any], people: Sequence[Any]) -> dict[Any, int]:
    """Who has another number than one."""
    assert counts.keys() <= set(people)
    return {person: counts[person] for person in people if counts[person] != 1}
