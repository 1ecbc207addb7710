"""The worker's part that handles webhook events: many sources at once, each in order."""

from __future__ import annotations

import asyncio
import time
import traceback
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hiiki.actions.context import MustUndo
from hiiki.db.engine import listening
from hiiki.db.outage import is_conflict, is_outage
from hiiki.ingest.handle import Waiting, handle, handle_together
from hiiki.ingest.queue import Source, describe, failed, waiting
from hiiki.ingest.store import CHANNEL
from hiiki.kit.clock import now

log = structlog.get_logger()

PARALLEL = 8
"""Transactions under way at a time in one worker; each needs a database connection."""
TOGETHER = 32
"""People whose events one transaction handles at most."""
POLL_SECONDS = 2.0
"""How often to look without having been told (a NOTIFY is lost with its connection)."""
AGAIN_SECONDS = 0.05
"""How soon to look again for a source that another worker was at."""
RECOVER_SECONDS = 1.0


class Crew:
    """Eight hands and one who deals out the work."""

    def __init__(self, stop: asyncio.Event) -> None:
        self.stop = stop
        self.woken = asyncio.Event()
        self._work: asyncio.Queue[list[Waiting]] = asyncio.Queue()
        self._taken: set[Source] = set()
        self._resting: dict[Source, float] = {}

    async def run(self) -> None:
        """Handle events until `stop`; what has begun is finished."""
        async with asyncio.TaskGroup() as group:
            hands = [group.create_task(self._hand()) for _ in range(PARALLEL)]
            ear = group.create_task(self._listen())
            stopping = group.create_task(self._wake_on_stop())
            while not self.stop.is_set():
                self.woken.clear()
                if not await self._deal():
                    await self._sleep()
            for hand in hands:
                hand.cancel()
            ear.cancel()
            stopping.cancel()

    async def _wake_on_stop(self) -> None:
        await self.stop.wait()
        self.woken.set()

    async def _deal(self) -> bool:
        """Give out what waits; True when there may be more to give out at once."""
        clock = time.monotonic()
        self._resting = {s: until for s, until in self._resting.items() if until > clock}
        if self._work.qsize() >= PARALLEL:
            return False
        try:
            due, resting = await waiting(self._taken | self._resting.keys())
        except (DBAPIError, PoolTimeout, OSError) as error:
            log.warning("ingest.no_database", error=describe(error))
            await asyncio.sleep(RECOVER_SECONDS)
            return True
        for source, until in resting.items():
            self._resting[source] = clock + _seconds_until(until)
        for events in due:
            self._taken.add(events[0].source)
            self._work.put_nowait(events)
        # Sources that rest filled the view: the next look passes them over.
        return bool(resting) and not due

    async def _sleep(self) -> None:
        soonest = min(self._resting.values(), default=None)
        wait = POLL_SECONDS
        if soonest is not None:
            wait = min(wait, max(0.01, soonest - time.monotonic()))
        try:
            async with asyncio.timeout(wait):
                await self.woken.wait()
        except TimeoutError:
            pass

    async def _hand(self) -> None:
        while True:
            sources = self._alike(await self._work.get())
            # A cancelled hand must not leave a transaction half-way: it is finished first.
            task = asyncio.ensure_future(self._handle_sources(sources))
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                await task
                raise
            finally:
                self._taken.difference_update(events[0].source for events in sources)
                self.woken.set()

    def _alike(self, first: list[Waiting]) -> list[list[Waiting]]:
        """Return the source with others of its workspace; all else waits for the next hand."""
        workspace_id = first[0].workspace_id
        sources, others = [first], list[list[Waiting]]()
        while len(sources) < TOGETHER and not self._work.empty():
            events = self._work.get_nowait()
            (sources if events[0].workspace_id == workspace_id else others).append(events)
        for events in others:
            self._work.put_nowait(events)
        return sources

    async def _handle_sources(self, sources: list[list[Waiting]]) -> None:
        """Handle each source's events in their order, the first of all, then the second, …"""
        turn = 0
        while sources and not self.stop.is_set():
            went_on = await self._handle_turn([events[turn] for events in sources])
            turn += 1
            sources = [
                events
                for events, may_go_on in zip(sources, went_on, strict=True)
                if may_go_on and len(events) > turn
            ]

    async def _handle_turn(self, events: list[Waiting]) -> list[bool]:
        """Handle one event of each of several sources; False for one whose source must wait."""
        # What failed before is handled by itself: it would only fail others once more.
        if not any(event.attempts for event in events):
            try:
                handled = await handle_together(events)
            except Exception as error:  # whose fault it is shows when each is handled by itself
                if is_outage(error) and not is_conflict(error):
                    self._wait_for_database(events, error)
                    return [False] * len(events)
                if len(events) == 1 and not isinstance(error, MustUndo):
                    await self._fail(events[0], error)
                    return [False]
                log.info("ingest.one_by_one", events=len(events), error=describe(error))
            else:
                for event, was_handled in zip(events, handled, strict=True):
                    if not was_handled:
                        self._rest(event.source, AGAIN_SECONDS)
                return handled
        return await self._handle_each(events)

    async def _handle_each(self, events: list[Waiting]) -> list[bool]:
        """Handle events by themselves; False for one whose source must wait."""
        went_on: list[bool] = []
        for place, event in enumerate(events):
            try:
                went_on.append(await handle(event))
                if not went_on[-1]:
                    self._rest(event.source, AGAIN_SECONDS)
            except Exception as error:
                if is_outage(error) and not is_conflict(error):
                    self._wait_for_database(events[place:], error)
                    return went_on + [False] * (len(events) - place)
                await self._fail(event, error)
                went_on.append(False)
        return went_on

    def _wait_for_database(self, events: list[Waiting], error: Exception) -> None:
        # Each that were tried now would wait as long for a connection, and warn of the same.
        log.warning("ingest.no_database", events=len(events), error=describe(error))
        for event in events:
            self._rest(event.source, RECOVER_SECONDS)

    async def _fail(self, event: Waiting, error: Exception) -> None:
        if is_outage(error):
            self._wait_for_database([event], error)
            return
        log.error(
            "ingest.failed",
            event_id=event.event_id,
            kind=event.kind,
            where=_where(error),
            error=describe(error),
        )
        try:
            until = await failed(event, error)
        except (DBAPIError, PoolTimeout, OSError) as outage:
            self._wait_for_database([event], outage)
            return
        if until is not None:
            self._rest(event.source, _seconds_until(until))

    def _rest(self, source: Source, seconds: float) -> None:
        self._resting[source] = time.monotonic() + seconds

    async def _listen(self) -> None:
        while True:
            try:
                async with listening(CHANNEL) as connection:
                    self.woken.set()  # whatever came while nobody listened
                    async for _notice in connection.notifies():
                        self.woken.set()
            except Exception as error:  # a lost listener only makes us slower; come back
                log.warning("ingest.not_listening", error=describe(error))
            await asyncio.sleep(RECOVER_SECONDS)


def _where(error: BaseException) -> str:
    """Return the path of calls that led to an error. Not their locals: people's words are there."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return " > ".join(f"{Path(f.filename).stem}:{f.lineno} {f.name}" for f in frames)


def _seconds_until(moment: datetime) -> float:
    return max(0.0, (moment - now()).total_seconds())


async def handle_events(stop: asyncio.Event) -> None:
    """Handle webhook events until `stop` is set: the worker's loop `ingest`."""
    await Crew(stop).run()
