"""The relay, from LINE's post to other tools' web servers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import AsyncTestClient
from sqlalchemy import func, select, update

import hiiki.rooms  # noqa: F401 — opens the road
from conftest import Shop, scope
from hiiki.contacts.erasure import erase
from hiiki.contacts.models import Contact
from hiiki.ingest.credentials import (
    KEPT_SECONDS,
    RELAYS_NOTHING_SECONDS,
    find_door,
    forget_doors,
)
from hiiki.ingest.credentials import _doors as doors  # pyright: ignore[reportPrivateUsage]
from hiiki.ingest.jobs import forget_relayed
from hiiki.ingest.models import WebhookEvent
from hiiki.ingest.relay import outbox, service
from hiiki.ingest.relay.crew import relay, rest_of, wait_of
from hiiki.ingest.relay.models import RelayBody, RelayDelivery, RelayTarget
from hiiki.ingest.relay.post import Outcome
from hiiki.ingest.relay.schemas import RelayIn
from hiiki.ingest.room import room as ingest
from hiiki.kit.clock import now
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.ids import uuid7
from hiiki.kit.road import Registry
from hiiki.line.signature import sign, verify
from hiiki.settings import settings
from hiiki.web.app import create_app
from hiiki.workspace.models import Channel
from hiiki.workspace.seal import seal
from ingest.line_side import Person, body, drain, make_channel, until
from ingest.receiver import Receiver, receiving
from stack import run

SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"


@pytest.fixture(autouse=True)
def insecure(monkeypatch: pytest.MonkeyPatch, database: str) -> Iterator[None]:
    """Loopback may be posted to."""
    monkeypatch.setenv("HIIKI_RELAY_INSECURE", "true")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
async def channel(shop: Shop) -> Channel:
    forget_doors()
    ident = uuid7()
    return await make_channel(
        shop.workspace_id, id=ident, sealed_secret=seal(SECRET, ident, "secret"),
        sealed_token=seal("token", ident, "token"),
    )  # fmt: skip


@pytest.fixture
async def line(db: str) -> AsyncIterator[AsyncTestClient[Any]]:
    async with AsyncTestClient(create_app(Registry([ingest]))) as found:
        yield found


async def target_of(channel: Channel, url: str, **given: str) -> RelayTarget:
    async with scope(channel.workspace_id) as session:
        return await service.add(session, channel.id, RelayIn(name="別のツール", url=url, **given))


async def post(line: AsyncTestClient[Any], channel: Channel, raw: bytes) -> None:
    answer = await line.post(
        f"/webhook/{channel.webhook_key}",
        content=raw,
        headers={"X-Line-Signature": sign(SECRET, raw), "content-type": "application/json"},
    )
    assert answer.status_code == 200, answer.text


def said(person: Person, text: str) -> bytes:
    """A body such as no JSON library would write again: spaces, escapes, order."""
    plain = body(person.event("message", message={"id": "1", "type": "text", "text": text}))
    return b" " + plain.replace(b'"type":', b'"\\u0074ype" :  ', 1) + b"\n"


@asynccontextmanager
async def relaying() -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(relay(stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def count(channel: Channel, kind: Any, *where: Any) -> int:
    async with scope(channel.workspace_id) as session:
        return await session.scalar(select(func.count()).select_from(kind).where(*where)) or 0


async def hurry(channel: Channel) -> None:
    """Let no target and no body wait any longer."""
    async with scope(channel.workspace_id) as session:
        await session.execute(update(RelayTarget).values(rests_until=None, leased_until=None))
        await session.execute(update(RelayDelivery).values(due_at=now()))


async def test_byte_for_byte_to_every_target(line: AsyncTestClient[Any], channel: Channel) -> None:
    async with receiving() as one, receiving() as two, relaying():
        await target_of(channel, one.url, header_name="Authorization", header_value="Bearer abc")
        await target_of(channel, two.url)
        person = Person(channel)
        sent = [said(person, f"カレー {n}") for n in range(20)]
        for raw in sent:
            await post(line, channel, raw)
        await post(line, channel, body())  # LINE's own test says nothing
        await until(lambda: both(one, two, 20))
        # One person's: in order, and each with LINE's own signature.
        assert one.bodies == two.bodies == sent
        for raw, headers in one.got + two.got:
            assert verify(SECRET, raw, headers["x-line-signature"])
            assert headers["content-type"] == "application/json; charset=utf-8"
        assert {h["authorization"] for _raw, h in one.got} == {"Bearer abc"}
        assert all("authorization" not in h for _raw, h in two.got)

        async def nothing_kept() -> bool:
            return not await count(channel, RelayBody)

        await until(nothing_kept)
    assert await count(channel, RelayDelivery, RelayDelivery.state == "delivered") == 40


async def both(one: Receiver, two: Receiver, n: int) -> bool:
    return len(one.got) >= n and len(two.got) >= n


async def test_without_targets_nothing_is_kept(
    line: AsyncTestClient[Any], channel: Channel
) -> None:
    await post(line, channel, said(Person(channel), "はい"))
    assert await count(channel, WebhookEvent) == 1
    assert await count(channel, RelayBody) == 0


async def test_a_redelivery_is_not_relayed_again(
    line: AsyncTestClient[Any], channel: Channel
) -> None:
    await target_of(channel, "http://127.0.0.1:9/")
    person = Person(channel)
    event, other = person.event("follow"), person.event("message", message={"type": "sticker"})
    await post(line, channel, body(event))
    await post(line, channel, body(event | {"deliveryContext": {"isRedelivery": True}}))
    assert await count(channel, RelayDelivery) == 1
    await post(line, channel, body(event, other))  # brings something new
    assert await count(channel, RelayDelivery) == 2


async def test_a_dead_and_a_slow_target_delay_nobody(
    line: AsyncTestClient[Any], channel: Channel
) -> None:
    async with receiving() as well, receiving() as slow, relaying():
        slow.delay = 30
        dead = await target_of(channel, "http://127.0.0.1:9/")
        late = await target_of(channel, slow.url)
        await target_of(channel, well.url)
        async with asyncio.timeout(4):  # less than the slow one's first time-out
            for n in range(30):
                await post(line, channel, said(Person(channel), str(n)))
            await until(lambda: both(well, well, 30))
        assert slow.most_under_way <= 8

        async def timed_out() -> bool:
            return bool(await count(channel, RelayDelivery, RelayDelivery.problem == "timeout"))

        await until(timed_out, 15)
    async with scope(channel.workspace_id) as session:
        for target in (dead, late):
            found = await session.one(RelayTarget, target.id)
            assert found.failures >= 1
            assert found.rests_until is not None
    unreached = RelayDelivery.problem == "unreachable"
    assert await count(channel, RelayDelivery, RelayDelivery.target_id == dead.id, unreached) >= 1


async def test_500_then_200(line: AsyncTestClient[Any], channel: Channel) -> None:
    async with receiving() as tool:
        tool.answer = lambda _body: 500
        target = await target_of(channel, tool.url)
        person = Person(channel)
        sent = [said(person, str(n)) for n in range(12)]
        for raw in sent:
            await post(line, channel, raw)
        async with relaying():

            async def refused() -> bool:
                return len(tool.refused) >= 2

            await until(refused)
            tool.answer = lambda _body: 200
            await hurry(channel)
            await until(lambda: both(tool, tool, 12))
        assert tool.bodies == sent  # the oldest first, though they failed
        assert set(tool.refused) == {sent[0]}  # one was tried; the others were spared
    async with scope(channel.workspace_id) as session:
        assert (await session.one(RelayTarget, target.id)).failures == 0


async def test_a_refused_body_does_not_hold_up_others(
    line: AsyncTestClient[Any], channel: Channel
) -> None:
    async with receiving() as tool, relaying():
        bad = said(Person(channel), "毒")
        tool.answer = lambda raw: 400 if raw == bad else 200
        await target_of(channel, tool.url)
        await post(line, channel, bad)
        for n in range(20):
            await post(line, channel, said(Person(channel), str(n)))
        await until(lambda: both(tool, tool, 20))
    assert len(tool.refused) == 1
    assert await count(channel, RelayDelivery, RelayDelivery.state == "waiting") == 1


@pytest.mark.parametrize(("answer", "problem"), [(302, "redirect"), (404, "status")])
async def test_a_redirect_is_not_followed(channel: Channel, answer: int, problem: str) -> None:
    async with receiving() as tool:
        tool.answer = lambda _body: answer
        target = await target_of(channel, tool.url)
        async with scope(channel.workspace_id) as session:
            assert await service.test(session, target) == Outcome(answer, problem)
        assert len(tool.refused) == 1
        assert not tool.got


async def test_the_test_is_line_s_own(channel: Channel) -> None:
    async with receiving() as tool:
        target = await target_of(channel, tool.url)
        async with scope(channel.workspace_id) as session:
            assert await service.test(session, target) == Outcome(200, None)
        [(raw, headers)] = tool.got
    assert raw == b'{"destination":"","events":[]}'
    assert verify(SECRET, raw, headers["x-line-signature"])


async def test_paused_and_resumed(line: AsyncTestClient[Any], channel: Channel) -> None:
    async with receiving() as tool, relaying():
        target = await target_of(channel, tool.url)
        async with scope(channel.workspace_id) as session:
            await service.set_paused(session, await session.one(RelayTarget, target.id), True)
        await post(line, channel, said(Person(channel), "後で"))
        await asyncio.sleep(1.3)
        assert not tool.got
        async with scope(channel.workspace_id) as session:
            await service.set_paused(session, await session.one(RelayTarget, target.id), False)
        await until(lambda: both(tool, tool, 1))


async def test_given_up_after_a_day_and_run_again(
    line: AsyncTestClient[Any], channel: Channel
) -> None:
    async with receiving() as tool:
        target = await target_of(channel, tool.url)
        raw = said(Person(channel), "古い")
        await post(line, channel, raw)
        async with scope(channel.workspace_id) as session:
            await session.execute(update(RelayDelivery).values(expires_at=now()))
        await outbox.give_up_old()
        await forget_relayed(0)  # what may be run again is kept
        assert await outbox.targets_with_work([]) == []
        async with scope(channel.workspace_id) as session:
            [given_up] = (await service.deliveries(session, target, status="given_up")).deliveries
            own = await session.one(RelayTarget, target.id)
            assert await service.run_again(session, own, given_up.serial) == 1
            with pytest.raises(Conflict):
                await service.run_again(session, own, given_up.serial)
        async with relaying():
            await until(lambda: both(tool, tool, 1))
        assert tool.bodies == [raw]


async def test_erased_with_the_person(line: AsyncTestClient[Any], channel: Channel) -> None:
    await target_of(channel, "http://127.0.0.1:9/")
    gone, stays = Person(channel), Person(channel)
    for person in (gone, stays):
        await post(line, channel, body(person.event("follow", follow={"isUnblocked": False})))
        await post(line, channel, said(person, "秘密"))
    await drain()
    async with scope(channel.workspace_id) as session:
        await erase(session, await session.one(Contact, gone.contact_id))
    async with scope(channel.workspace_id) as session:
        people = [body.people for body in await session.scalars(select(RelayBody))]
        assert people == [[stays.user_id]] * 2
    assert await count(channel, RelayDelivery, RelayDelivery.problem == "erased") == 2


async def test_a_body_is_its_first_sender_s(line: AsyncTestClient[Any], channel: Channel) -> None:
    """Whatever the others' ids: what begins with one sender is relayed one after the other."""
    await target_of(channel, "http://127.0.0.1:9/")
    low, high = sorted((Person(channel), Person(channel)), key=lambda each: each.user_id)
    events = [each.event("unfollow") for each in (high, low, high)]
    await post(line, channel, body(*events))
    async with scope(channel.workspace_id) as session:
        [kept] = await session.scalars(select(RelayBody))
    assert kept.people == [high.user_id, low.user_id]


async def test_who_is_late_leaves_the_next_ones_lease(
    line: AsyncTestClient[Any], channel: Channel
) -> None:
    target = await target_of(channel, "http://127.0.0.1:9/")
    for n in range(2):
        await post(line, channel, said(Person(channel), str(n)))
    late = await outbox.claim(target.id, 1)
    await hurry(channel)  # as if its lease had run out
    own = await outbox.claim(target.id, 2)
    assert late
    assert own
    await outbox.record(late[0], [(late[1][0], Outcome(200, None), 0.0)], 0, None)
    await outbox.record(late[0], [(late[1][0], Outcome(None, "timeout"), 0.0)], 7, 300.0)
    async with scope(channel.workspace_id) as session:
        found = await session.one(RelayTarget, target.id)
        assert (found.leased_until, found.failures) == (own[0].leased_until, 0)
    assert await count(channel, RelayDelivery, RelayDelivery.state == "delivered") == 1
    await outbox.record(own[0], [(own[1][1], Outcome(503, "status"), 0.0)], 1, 1.0)
    async with scope(channel.workspace_id) as session:
        found = await session.one(RelayTarget, target.id)
        assert (found.leased_until, found.failures) == (None, 1)


async def test_a_first_target_is_known_everywhere_after_five_seconds(
    line: AsyncTestClient[Any], channel: Channel
) -> None:
    await post(line, channel, said(Person(channel), "まだ"))
    async with scope(channel.workspace_id) as session:  # as another process would add it
        session.add(RelayTarget(channel_id=channel.id, name="t", url="http://127.0.0.1:9/"))
    for kept in (RELAYS_NOTHING_SECONDS, KEPT_SECONDS - 1):
        door = await find_door(channel.webhook_key)
        assert door
        doors[channel.webhook_key] = replace(door, read_at=door.read_at - kept)
        await post(line, channel, said(Person(channel), "もう"))
    assert await count(channel, RelayBody) == 2


async def test_what_was_given_up_forgets_what_was_taken_back(
    line: AsyncTestClient[Any], channel: Channel
) -> None:
    target = await target_of(channel, "http://127.0.0.1:9/")
    person = Person(channel)
    for ident in ("4201", "4202"):
        message = {"id": ident, "type": "text", "text": ident}
        await post(line, channel, body(person.event("message", message=message)))
    async with scope(channel.workspace_id) as session:
        await session.execute(update(RelayDelivery).values(expires_at=now()))
    await outbox.give_up_old()
    await person.does("unsend", unsend={})  # names nothing, and takes nothing with it
    await person.does("unsend", unsend={"messageId": "4201"})
    async with scope(channel.workspace_id) as session:
        [kept] = await session.scalars(select(RelayBody))
        assert b"4202" in kept.body
        own = await session.one(RelayTarget, target.id)
        assert await service.run_again(session, own) == 1


async def test_a_long_backlog_is_forgotten_in_rounds(
    line: AsyncTestClient[Any], channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hiiki.ingest.jobs.AT_ONCE", 2)
    await target_of(channel, "http://127.0.0.1:9/")
    for n in range(6):
        await post(line, channel, said(Person(channel), str(n)))
    async with scope(channel.workspace_id) as session:
        first = await session.scalar(select(func.min(RelayDelivery.serial)))
        await session.execute(
            update(RelayDelivery)
            .where(RelayDelivery.serial != first)
            .values(state="given_up", settled_at=now() - timedelta(days=8))
        )
    await forget_relayed(0)
    assert await count(channel, RelayDelivery) == 1
    assert await count(channel, RelayBody) == 1


async def test_limits_of_targets(channel: Channel) -> None:
    for n in range(service.MOST):
        await target_of(channel, f"https://tool{n}.example/")
    with pytest.raises(Conflict):
        await target_of(channel, "https://tool.example/")
    async with scope(channel.workspace_id) as session:
        first = (await service.targets(session, channel.id))[0]
        await service.delete(session, first)
    with pytest.raises(Invalid) as refused:
        await target_of(channel, "https://tool1.example/")
    assert list(refused.value.fields) == ["url"]


async def test_a_header_does_not_follow_to_another_address(channel: Channel) -> None:
    target = await target_of(
        channel, "https://tool.example/", header_name="X-Key", header_value="geheim"
    )
    async with scope(channel.workspace_id) as session:
        own = await session.one(RelayTarget, target.id)
        assert b"geheim" not in (own.sealed_header or b"")
        same = RelayIn(name="b", url="https://tool.example/", header_name="X-Key")
        await service.change(session, own, same)
        for other in ({"url": "https://evil.example/"}, {"header_name": "X-Other"}):
            with pytest.raises(Invalid) as refused:
                await service.change(session, own, same.model_copy(update=other))
            assert list(refused.value.fields) == ["header_value"]


async def test_killed_in_the_middle(
    line: AsyncTestClient[Any], channel: Channel, database: str, tmp_path: Path
) -> None:
    env = {
        "HIIKI_DATABASE_URL": database,
        "HIIKI_DATA_DIR": os.environ["HIIKI_DATA_DIR"],
        "HIIKI_LINE_API": "http://127.0.0.1:1",
        "HIIKI_RELAY_INSECURE": "true",
    }
    async with receiving() as tool:
        tool.delay = 0.05
        await target_of(channel, tool.url)
        sent = [said(Person(channel), str(n)) for n in range(150)]
        for raw in sent:
            await post(line, channel, raw)
        for begun in (5, 40):
            worker = run(tmp_path / "worker.log", "hiiki", "worker", env=env)

            async def has_begun(begun: int = begun) -> bool:
                return len(tool.got) >= begun

            try:
                await until(has_begun, 60)
            finally:
                worker.kill()
            assert await count(channel, RelayDelivery, RelayDelivery.state == "waiting") > 0
            await hurry(channel)  # as if the dead worker's lease had run out
        async with relaying():

            async def done() -> bool:
                return not await count(channel, RelayDelivery, RelayDelivery.state == "waiting")

            await until(done, 60)
    assert set(tool.bodies) == set(sent)
    assert len(tool.bodies) <= 150 + 2 * 16  # the batches in which it was killed
    assert await count(channel, RelayBody) == 0


def test_waits_grow_and_end() -> None:
    down, bad = Outcome(503, "status"), Outcome(400, "status")
    assert [wait_of(n, down) for n in (1, 2, 3)] == [0, 0, 0]
    assert 15 <= wait_of(4, down) <= 30
    assert 15 <= wait_of(1, bad) <= 30
    assert all(1800 <= wait_of(n, down) <= 3600 for n in (12, 500))
    assert rest_of(0) is None
    assert 0.5 <= (rest_of(1) or 0) <= 1
    assert all(150 <= (rest_of(n) or 0) <= 300 for n in (10, 100_000))
