"""The worker's part that relays webhooks: every target by itself, oldest bodies first.

What is promised: at least once, within a day, and never one target waiting for another.
Eight bodies are on their way to a target at a time; those with the same person's events go
one after the other. After a failure the oldest is tried alone until the target is well.
"""

from __future__ import annotations

import asyncio
import random
import time
from uuid import UUID

import aiohttp
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hiiki.db.engine import listening
from hiiki.ingest.queue import describe
from hiiki.ingest.relay import outbox
from hiiki.ingest.relay.outbox import Parcel
from hiiki.ingest.relay.post import Destination, Outcome, destination, post, session
from hiiki.kit.errors import Unavailable

log = structlog.get_logger()

TOGETHER = 16
"""Bodies read, and recorded, together; a killed worker's batch is sent once more."""
PARALLEL = 8
"""Bodies on their way to one target."""
TARGETS = 256
"""Targets served at a time by one worker."""
BEGIN_WITHIN = 8.0
"""Seconds after which nothing more of a batch is begun: its lease would run out."""
DATABASE = 3
"""Transactions of the relay under way at a time in one worker."""
POLL_SECONDS = 1.0
GIVE_UP_EVERY = 30.0
FIRST_REST, LONGEST_REST = 1.0, 300.0
"""Seconds a failing target is left alone, doubling."""
EAGER = 3
"""Attempts of a body that only its target's rest keeps apart; then it waits by itself."""
FIRST_WAIT, LONGEST_WAIT = 30.0, 3_600.0
RECOVER_SECONDS = 1.0


def jitter(seconds: float) -> float:
    """Return between half and all of `seconds`, so that many do not come back together."""
    return seconds * random.uniform(0.5, 1)  # noqa: S311 — spreading, not secrecy


def wait_of(attempts: int, outcome: Outcome) -> float:
    """Return the seconds until a body that has failed `attempts` times is tried again."""
    eager = 0 if outcome.is_bodys_fault else EAGER
    if outcome.problem is None or attempts <= eager:
        return 0.0
    return jitter(min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempts - eager - 1, 12)))


def rest_of(failures: int) -> float | None:
    """Return the seconds for which a target that has failed so often in a row is left alone."""
    if not failures:
        return None
    return jitter(min(LONGEST_REST, FIRST_REST * 2 ** min(failures - 1, 12)))


class Relay:
    """One worker's relay."""

    def __init__(self, stop: asyncio.Event, http: aiohttp.ClientSession) -> None:
        self.stop = stop
        self._http = http
        self._woken = asyncio.Event()
        self._served: dict[UUID, asyncio.Task[None]] = {}
        self._database = asyncio.Semaphore(DATABASE)

    async def run(self) -> None:
        """Relay until `stop`; the batches under way are finished."""
        helpers = [asyncio.create_task(self._listen()), asyncio.create_task(self._wake_on_stop())]
        give_up_at = 0.0
        try:
            while not self.stop.is_set():
                self._woken.clear()
                if len(self._served) < TARGETS:
                    async with self._database:
                        found = await outbox.targets_with_work(self._served.keys())
                    for target_id in found[: TARGETS - len(self._served)]:
                        self._start(target_id)
                try:
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._woken.wait()
                except TimeoutError:
                    pass
                if time.monotonic() >= give_up_at:
                    give_up_at = time.monotonic() + GIVE_UP_EVERY
                    async with self._database:
                        await outbox.give_up_old()
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*self._served.values(), return_exceptions=True)

    def _start(self, target_id: UUID) -> None:
        task = self._served[target_id] = asyncio.create_task(self._serve(target_id))

        def done(_task: asyncio.Task[None]) -> None:
            self._served.pop(target_id, None)
            self._woken.set()  # it may have got something new meanwhile

        task.add_done_callback(done)

    async def _serve(self, target_id: UUID) -> None:
        try:
            while not self.stop.is_set() and await self._batch(target_id):
                pass
        except (DBAPIError, PoolTimeout, OSError) as error:
            log.warning("relay.no_database", error=describe(error))
            await asyncio.sleep(RECOVER_SECONDS)
        except Exception:
            log.exception("relay.failed", target_id=str(target_id))
            await asyncio.sleep(RECOVER_SECONDS)

    async def _batch(self, target_id: UUID) -> bool:
        """Send what is due; True when there may be more to send at once."""
        async with self._database:
            claimed = await outbox.claim(target_id, TOGETHER)
        if claimed is None:
            return False
        target, parcels = claimed
        try:
            where = destination(target)
        except Unavailable:
            tried = [(parcels[0], Outcome(None, "sealed"))]
        else:
            tried = await self._send(where, parcels)
        is_down = any(out.problem and not out.is_bodys_fault for _parcel, out in tried)
        failures = target.failures + 1 if is_down else 0
        if is_down:
            problem = next(out for _p, out in tried if out.problem and not out.is_bodys_fault)
            log.info(
                "relay.failing", target_id=str(target_id), problem=problem.problem,
                answer=problem.answer, failures=failures,
            )  # fmt: skip
        outcomes = [(parcel, out, wait_of(parcel.attempts + 1, out)) for parcel, out in tried]
        async with self._database:
            await outbox.record(target, outcomes, failures, rest_of(failures))
        return not is_down

    async def _send(
        self, where: Destination, parcels: list[Parcel]
    ) -> list[tuple[Parcel, Outcome]]:
        """Post a batch, oldest first; what has not begun when the target fails is left."""
        lanes: dict[str, list[Parcel]] = {}
        for parcel in parcels:
            lanes.setdefault(next(iter(parcel.people), ""), []).append(parcel)
        hands = asyncio.Semaphore(PARALLEL)
        tried: list[tuple[Parcel, Outcome]] = []
        is_down = False
        until = time.monotonic() + BEGIN_WITHIN

        async def lane(waiting: list[Parcel]) -> None:
            nonlocal is_down
            for parcel in waiting:
                async with hands:
                    if is_down or time.monotonic() > until:
                        return
                    outcome = await post(self._http, where, parcel.body, parcel.signature)
                tried.append((parcel, outcome))
                is_down = is_down or bool(outcome.problem and not outcome.is_bodys_fault)

        await asyncio.gather(*(lane(waiting) for waiting in lanes.values()))
        return tried

    async def _wake_on_stop(self) -> None:
        await self.stop.wait()
        self._woken.set()

    async def _listen(self) -> None:
        while True:
            try:
                async with listening(outbox.CHANNEL) as connection:
                    self._woken.set()  # whatever came while nobody listened
                    async for _notice in connection.notifies():
                        self._woken.set()
            except Exception as error:  # a lost listener only makes us slower; come back
                log.warning("relay.not_listening", error=describe(error))
            await asyncio.sleep(RECOVER_SECONDS)


async def relay(stop: asyncio.Event) -> None:
    """Relay webhooks until `stop` is set: the worker's loop `relay`."""
    async with session() as http:
        await Relay(stop, http).run()
