"""An emulated LINE, an account on it whose friends Hiiki knows, and a worker to send."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from conftest import Shop
from forked import Forked, open_nursery
from hiiki.contacts.models import Contact, Friendship
from hiiki.db import everywhere, scope
from hiiki.delivery.models import Parcel, Send
from hiiki.delivery.sender import run_sender
from hiiki.delivery.service import start_send
from hiiki.kit.clock import now
from hiiki.kit.ids import contact_id
from hiiki.line.http import close_http
from hiiki.settings import settings
from hiiki.timeline.models import Event
from hiiki.workspace.models import Channel
from hiiki.workspace.seal import seal
from line_emulator.client import EmulatorClient
from line_emulator.emulator import Emulator

PATIENT, IMPATIENT, HASTY = 10.0, 1.5, 0.5
"""Seconds to wait for LINE: on a busy machine the emulator, too, takes its time. Impatient
tests wait for a time-out, or for a lease to run out, which then takes six seconds, or four."""


@dataclass
class Account:
    """A channel of a shop, the emulator's side of it, and its people."""

    line: Emulator
    control: EmulatorClient
    workspace_id: UUID
    channel_id: UUID
    line_channel_id: str
    users: list[str]
    """LINE user ids."""
    contacts: list[UUID] = field(default_factory=list)
    """As many as `users`, in the same order."""

    async def send(
        self,
        message: str = "新作の中辛カレー",
        *,
        to: Sequence[UUID] | None = None,
        personal: bool = False,
        messages: list[dict[str, Any]] | None = None,
    ) -> UUID:
        """Start a send to these contacts, by default to all."""
        async with scope(self.workspace_id) as session:
            audience = select(Contact.id).where(Contact.id.in_(self.contacts if to is None else to))
            send = await start_send(
                session,
                channel_id=self.channel_id,
                subject=f"broadcast:{uuid4()}",
                messages=messages or [{"type": "text", "text": message}],
                personal=personal,
                audience=audience,
            )
            return send.id

    async def get(self, send_id: UUID) -> Send:
        """The send as it stands now."""
        async with scope(self.workspace_id) as session:
            return await session.one(Send, send_id)

    async def parcels(self, send_id: UUID | None = None) -> list[Parcel]:
        """Its parcels, or those said in passing."""
        async with scope(self.workspace_id) as session:
            found = await session.scalars(
                select(Parcel).where(Parcel.send_id == send_id).order_by(Parcel.id)
            )
            return list(found)

    async def sent_events(self) -> Counter[UUID]:
        """How many `sent` events each contact has."""
        async with scope(self.workspace_id) as session:
            found = await session.scalars(select(Event.contact_id).where(Event.kind == "sent"))
            return Counter(found)

    def arrivals(self) -> Counter[str]:
        """How many messages each phone received of this account."""
        channel = self.line.platform.channels[self.line_channel_id]
        count: Counter[str] = Counter()
        for user_id, phone in channel.phones.items():
            received = sum(
                len(entry.message_ids) for entry in phone.entries if hasattr(entry, "message_ids")
            )
            if received:
                count[user_id] = received
        return count

    async def execute(self, statement: str, **values: Any) -> None:
        """Change something behind the application's back."""
        async with everywhere() as session:
            await session.execute(
                text(statement), values, execution_options={"scoped_by_hand": True}
            )


@pytest.fixture
async def line(db: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Emulator]:
    """LINE, in this process."""
    async with Emulator(unlimited=True) as emulator:
        monkeypatch.setattr(settings(), "line_api", emulator.url)
        monkeypatch.setattr(settings(), "line_timeout", PATIENT)
        yield emulator
        await close_http()


@pytest.fixture
def impatient(line: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for LINE a short time only."""
    monkeypatch.setattr(settings(), "line_timeout", IMPATIENT)


@pytest.fixture
async def control(line: Emulator) -> AsyncIterator[EmulatorClient]:
    """The emulator's control API."""
    async with EmulatorClient(line.url) as client:
        yield client


async def open_account(
    shop: Shop, line: Emulator, control: EmulatorClient, friends: int, **channel: Any
) -> Account:
    """Make a channel on both sides, with friends whom Hiiki knows."""
    made = await control.create_channel(**{"unlimited": True, **channel})
    users: list[str] = []
    ident = uuid4()
    async with scope(shop.workspace_id) as session:
        session.add(
            Channel(
                id=ident,
                name=made["name"],
                line_channel_id=made["channel_id"],
                provider="P",
                sealed_secret=seal(made["channel_secret"], ident, "secret"),
                sealed_token=seal(made["access_token"], ident, "token"),
                webhook_key=uuid4().hex,
            )
        )
    account = Account(line, control, shop.workspace_id, ident, made["channel_id"], users)
    if friends:
        await add_friends(account, friends)
    return account


async def add_friends(account: Account, count: int, status: str = "following") -> list[UUID]:
    """More people on both sides; returns their contact ids."""
    made = await account.control.create_users(
        count,
        state="friend" if status == "following" else "blocked",
        channel=account.line_channel_id,
    )
    users = [user["id"] for user in made]
    contacts = [contact_id(account.workspace_id, "P", user) for user in users]
    async with scope(account.workspace_id) as session:
        for user, contact in zip(users, contacts, strict=True):
            session.add(Contact(id=contact, display_name=f"友だち{user[-12:]}"))
        await session.flush()
        for user, contact in zip(users, contacts, strict=True):
            session.add(
                Friendship(
                    contact_id=contact,
                    channel_id=account.channel_id,
                    line_user_id=user,
                    status=status,
                    followed_at=now(),
                )
            )
    account.users += users
    account.contacts += contacts
    return contacts


OpenAccount = Callable[..., Awaitable[Account]]


@pytest.fixture
def accounts(shop: Shop, line: Emulator, control: EmulatorClient) -> OpenAccount:
    """Open accounts: `await accounts(friends)`."""

    async def make(friends: int, **channel: Any) -> Account:
        return await open_account(shop, line, control, friends, **channel)

    return make


@asynccontextmanager
async def sending() -> AsyncIterator[None]:
    """A sender in this process, for as long as the block."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_sender(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 20)


async def until(
    what: Callable[[], Awaitable[Any]], seconds: float = 60, every: float = 0.05
) -> Any:
    """Return what `what()` gives once it is true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := await what()):
        assert time.monotonic() < deadline, f"it did not come to pass within {seconds} s"
        await asyncio.sleep(every)
    return found


async def finished(account: Account, send_id: UUID, seconds: float = 30) -> Send:
    """Wait until the send is over and the timeline has been told, and return it."""

    async def over() -> Send | None:
        nonlocal send
        send = await account.get(send_id)
        if send.finished_at is None:
            return None
        async with scope(account.workspace_id) as session:
            untold = select(Parcel.id).where(
                Parcel.send_id == send_id, Parcel.state == "accepted", Parcel.is_told.is_(False)
            )
            return send if await session.scalar(untold.limit(1)) is None else None

    send: Send | None = None
    try:
        return await until(over, seconds)
    except AssertionError as error:
        assert send is not None
        said = f"{error}: {send.state} {send.pause_reason or ''}, {send.accepted} accepted"
        raise AssertionError(said) from error


class WorkerProcess:
    """A real `hiiki worker`, with its imports and all."""

    def __init__(self, log: Path, environment: Mapping[str, str]) -> None:
        self._log = log
        self._environment = {**os.environ, **environment}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; returns at once."""
        with self._log.open("ab") as out:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "hiiki", "worker"),
                stdout=out,
                stderr=out,
                env=self._environment,
                start_new_session=True,
            )

    async def kill(self) -> None:
        """End it as a power cut would."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        await self._end(signal.SIGTERM)

    async def _end(self, number: int) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
        await asyncio.wait_for(self._process.wait(), 30)


def environment(line: Emulator, timeout: float) -> dict[str, str]:
    """A worker's environment: it waits for LINE so many seconds, and its leases last as long."""
    return {
        "HIIKI_LINE_API": line.url,
        "HIIKI_LINE_TIMEOUT": str(timeout),
        "HIIKI_DATABASE_POOL": "5",
    }


@pytest.fixture
async def command(line: Emulator, tmp_path: Path) -> AsyncIterator[WorkerProcess]:
    """The command `hiiki worker`, not started yet."""
    made = WorkerProcess(tmp_path / "command.log", environment(line, IMPATIENT))
    yield made
    await made.kill()


@pytest.fixture(scope="session")
def nursery() -> None:
    """What workers are forked from."""
    open_nursery()


@pytest.fixture
async def worker(
    line: Emulator, nursery: None, tmp_path: Path
) -> AsyncIterator[Callable[..., Forked]]:
    """Makes workers; they are ended after the test."""
    made: list[Forked] = []

    def make(timeout: float = IMPATIENT) -> Forked:
        log = tmp_path / f"worker{len(made)}.log"
        made.append(Forked(log, environment(line, timeout), "worker"))
        return made[-1]

    yield make
    for one in made:
        await one.kill()
