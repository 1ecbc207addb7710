"""The sender: takes parcels, speaks to LINE, writes down what became of them.

There are two lanes with connections of their own, so what is urgent (replies, and what
follows from something a person just did) never waits for bulk. Each lane claims only
what it may send at once by the rate budgets, sends it outside any transaction, and hands
the outcomes to the recorder, which writes many in one transaction.

Killed at any moment, the sender leaves leases that run out (`hiiki.delivery.claim`).
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select

from hiiki.content.service import fill, personalise
from hiiki.db import everywhere, scope
from hiiki.db.engine import listening
from hiiki.db.outage import is_outage
from hiiki.delivery.accounts import Account, Accounts
from hiiki.delivery.claim import claim_bulk, claim_urgent, lease_seconds, running_sends
from hiiki.delivery.models import Send
from hiiki.delivery.record import Outcome, record
from hiiki.delivery.sql import BULK, URGENT, WAKE_CHANNEL
from hiiki.delivery.sweep import sweep
from hiiki.delivery.telling import tell
from hiiki.delivery.verdict import NOTHING_LEFT, Claimed, Verdict, after, before
from hiiki.jobs.keep import keep_running, pause
from hiiki.kit.errors import HiikiError
from hiiki.line.client import Answer
from hiiki.settings import settings

log = structlog.get_logger()

POLL = 1.0
"""Seconds after which a lane looks by itself, should a notification have been lost."""
BREATH = 0.04
"""Seconds between two claims of bulk, in which the rate budgets fill."""
AT_ONCE = {URGENT: 100, BULK: 300}
"""Parcels a lane holds at a time. LINE takes 2,000 pushes a second, about 0.1 s each."""
BATCH = 500
"""Outcomes written in one transaction."""
GATHER = 0.02
"""Seconds for which outcomes gather before they are written: a commit costs as much for one."""


class Lane:
    """Room for so many parcels at a time, and the bell that says there may be more."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.held = 0
        self.bell = asyncio.Event()

    @property
    def room(self) -> int:
        """How many more parcels may be taken."""
        return AT_ONCE[self.name] - self.held

    async def wait(self, seconds: float) -> None:
        """Wait for the bell, or for `seconds`."""
        await pause(self.bell, seconds)
        self.bell.clear()


async def run_sender(stop: asyncio.Event) -> None:
    """Send what there is to send until `stop` is set; then let what is with LINE finish."""
    await Sender(stop).run()


class Sender:
    """One process's sender."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self._lanes = {name: Lane(name) for name in (URGENT, BULK)}
        self._accounts = Accounts()
        self._messages: dict[UUID, list[dict[str, Any]]] = {}
        """The messages of sends whose recipients all get the same."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._outcomes = {lane: asyncio.Queue[Outcome | None]() for lane in self._lanes.values()}
        """By lane: what holds up the writing of bulk must not hold up replies."""
        self._turn = 0
        self._untold = asyncio.Event()

    async def run(self) -> None:
        """Run all parts until asked to stop."""
        recorders = [asyncio.create_task(self._record(lane)) for lane in self._outcomes]
        parts = {
            "sender.urgent": self._send_urgent,
            "sender.bulk": self._send_bulk,
            "sender.listen": self._listen,
            "sender.sweep": self._sweep,
            "sender.tell": self._tell,
        }
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ring_at_stop())
                for name, part in parts.items():
                    group.create_task(keep_running(name, part, self._stop), name=name)
        finally:
            if self._tasks:
                await asyncio.wait(self._tasks)
            for outcomes in self._outcomes.values():
                outcomes.put_nowait(None)
            await asyncio.gather(*recorders)

    async def _ring_at_stop(self) -> None:
        await self._stop.wait()
        for lane in self._lanes.values():
            lane.bell.set()
        self._untold.set()

    async def _listen(self, stop: asyncio.Event) -> None:
        async with listening(WAKE_CHANNEL) as connection:
            for lane in self._lanes.values():
                lane.bell.set()
            while not stop.is_set():
                async for notice in connection.notifies(timeout=POLL):
                    if lane := self._lanes.get(notice.payload):
                        lane.bell.set()
                    if stop.is_set():
                        break

    async def _sweep(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            async with everywhere() as session:  # the queue is one for all workspaces
                more = await sweep(session)
            await pause(stop, 0.05 if more else POLL)

    async def _tell(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            self._untold.clear()
            async with everywhere() as session:  # the queue is one for all workspaces
                told = await tell(session)
            if not told:
                await pause(self._untold, POLL)
            elif self._lanes[BULK].held:
                await pause(stop, POLL)  # sending comes first; most is told after it

    async def _send_urgent(self, stop: asyncio.Event) -> None:
        lane = self._lanes[URGENT]
        spent_until = 0.0
        while not stop.is_set():
            if lane.room > 0:
                async with everywhere() as session:  # the queue is one for all workspaces
                    claimed, may_go_on = await claim_urgent(session, lane.room)
                    accounts = await self._accounts.of(session, {p.channel_id for p in claimed})
                for parcel in claimed:
                    self._start(lane, parcel, accounts[parcel.channel_id], parcel.messages)
                if not may_go_on:
                    spent_until = time.monotonic() + POLL
            # What a spent budget holds up rings no bell when the budget has filled.
            await lane.wait(BREATH if time.monotonic() < spent_until else POLL)

    async def _send_bulk(self, stop: asyncio.Event) -> None:
        lane = self._lanes[BULK]
        while not stop.is_set():
            if lane.room <= 0:
                await pause(stop, BREATH)
                continue
            claimed: list[Claimed] = []
            accounts: dict[UUID, Account] = {}
            async with everywhere() as session:  # the queue is one for all workspaces
                running = await running_sends(session)
                if running:
                    # Each in turn is the first, so that where little is to share, all get some.
                    self._turn = (self._turn + 1) % len(running)
                    in_turn = [*running[self._turn :], *running[: self._turn]]
                    claimed = await claim_bulk(session, in_turn, lane.room)
                    accounts = await self._accounts.of(session, {p.channel_id for p in claimed})
            by_send: dict[UUID, list[Claimed]] = defaultdict(list)
            for parcel in claimed:
                if parcel.send_id is not None:
                    by_send[parcel.send_id].append(parcel)
            personal = {send.id for send in running if send.personal}
            for send_id, parcels in by_send.items():
                await self._dispatch(lane, send_id, parcels, accounts, send_id in personal)
            await (pause(stop, BREATH) if running else lane.wait(POLL))

    async def _dispatch(
        self,
        lane: Lane,
        send_id: UUID,
        parcels: Sequence[Claimed],
        accounts: dict[UUID, Account],
        personal: bool,
    ) -> None:
        texts: dict[UUID, list[dict[str, Any]]] = {}
        # The parcels are ours already: whatever goes wrong here must become an outcome.
        try:
            if not personal and send_id in self._messages:
                same = self._messages[send_id]
                texts = {parcel.id: same for parcel in parcels}
            else:
                texts = await self._texts(send_id, parcels, personal)
        except Exception as error:
            if is_outage(error):
                log.warning("sender.personalise", error=str(error).partition("\n")[0])
                verdict = Verdict("ready", wait=POLL)
            else:
                log.exception("sender.personalise", send_id=str(send_id))
                reason = error.message.to("en") if isinstance(error, HiikiError) else repr(error)
                verdict = Verdict("ready", reason, wait=POLL, pauses_send="content")
            for parcel in parcels:
                self._settle(lane, Outcome(parcel, verdict), starts=True)
            return
        for parcel in parcels:
            self._start(lane, parcel, accounts[parcel.channel_id], texts.get(parcel.id))

    async def _texts(
        self, send_id: UUID, parcels: Sequence[Claimed], personal: bool
    ) -> dict[UUID, list[dict[str, Any]]]:
        async with scope(parcels[0].workspace_id) as session:
            messages = await session.scalar(select(Send.messages).where(Send.id == send_id))
            if messages is None:
                return {}
            if not personal:
                if len(self._messages) >= 100:
                    self._messages.clear()
                self._messages[send_id] = messages
                return {parcel.id: messages for parcel in parcels}
            alone = [parcel for parcel in parcels if parcel.values is None]
            people = [person for parcel in alone for person in parcel.contact_ids]
            filled = await personalise(session, messages, people) if people else {}
        texts = {
            parcel.id: filled[parcel.contact_ids[0]]
            for parcel in alone
            if parcel.contact_ids[0] in filled
        }
        for parcel in parcels:
            if parcel.values is not None:
                texts[parcel.id] = fill(messages, parcel.values)
        return texts

    def _start(
        self,
        lane: Lane,
        parcel: Claimed,
        account: Account,
        messages: list[dict[str, Any]] | None,
    ) -> None:
        lane.held += 1
        task = asyncio.create_task(self._deliver(lane, parcel, account, messages))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(
        self,
        lane: Lane,
        parcel: Claimed,
        account: Account,
        messages: list[dict[str, Any]] | None,
    ) -> None:
        try:
            verdict = await self._try(parcel, account, messages)
        except Exception as error:
            # A fault of ours must not lose the parcel: it is tried again, with its retry key.
            log.exception("sender.failed", parcel_id=str(parcel.id))
            verdict = Verdict("ready", repr(error), wait=10.0, is_certain=False)
        self._settle(lane, Outcome(parcel, verdict, account.sealed_token))

    async def _try(
        self, parcel: Claimed, account: Account, messages: list[dict[str, Any]] | None
    ) -> Verdict:
        now = time.monotonic()
        if verdict := before(parcel, now):
            return verdict
        if account.client is None:
            return Verdict("ready", account.problem, wait=POLL, pauses_channel=True)
        if messages is None:
            return Verdict("refused", NOTHING_LEFT)
        if now > parcel.claimed_at + lease_seconds() - settings().line_timeout - 1:
            # Too late for this lease: another worker might begin before LINE has answered.
            return Verdict("ready")
        answer: Answer
        units = () if parcel.unit is None else (parcel.unit,)
        match parcel.method:
            case "reply":
                answer = await account.client.reply(parcel.reply_token or "", messages)
            case "push":
                answer = await account.client.push(
                    parcel.line_user_ids[0], messages, retry_key=parcel.retry_key, units=units
                )
            case _:
                answer = await account.client.multicast(
                    parcel.line_user_ids, messages, retry_key=parcel.retry_key, units=units
                )
        return after(parcel, answer, time.monotonic())

    def _settle(self, lane: Lane, outcome: Outcome, *, starts: bool = False) -> None:
        if starts:
            lane.held += 1
        self._outcomes[lane].put_nowait(outcome)

    async def _record(self, lane: Lane) -> None:
        """Write a lane's outcomes down, as many at a time as have gathered, until the last."""
        outcomes = self._outcomes[lane]
        while (first := await outcomes.get()) is not None:
            if not self._stop.is_set():
                await asyncio.sleep(GATHER)
            batch = [first]
            ends = False
            while len(batch) < BATCH and not outcomes.empty():
                following = outcomes.get_nowait()
                if following is None:
                    ends = True
                    break
                batch.append(following)
            await self._write(batch)
            self._untold.set()
            loop = asyncio.get_running_loop()
            lane.held -= len(batch)
            lane.bell.set()
            for outcome in batch:
                if outcome.verdict.state == "ready":
                    loop.call_later(outcome.verdict.wait + 0.01, lane.bell.set)
            if ends:
                return

    async def _write(self, outcomes: Sequence[Outcome]) -> None:
        until = time.monotonic() + lease_seconds()
        wait = 0.1
        while True:
            try:
                async with everywhere() as session:  # one batch holds several workspaces'
                    await record(session, outcomes)
                return
            except Exception as error:
                if not is_outage(error):
                    log.exception("sender.record")
                    if len(outcomes) == 1:
                        return  # its lease runs out, and it is tried again
                    for outcome in outcomes:  # one bad row must not lose the others
                        await self._write([outcome])
                    return
                # The database is away or busy, and will be back; or two workers met in a deadlock.
                log.warning("sender.record", error=str(error).partition("\n")[0])
            if time.monotonic() > until:
                # The leases have run out by now: others try again with the same retry keys.
                log.error("sender.lost", parcels=[str(o.parcel.id) for o in outcomes])
                return
            await asyncio.sleep(wait)
            wait = min(2.0, wait * 2)
