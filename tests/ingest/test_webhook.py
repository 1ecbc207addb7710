"""The webhook's door: what it takes, what it refuses, and that 200 means stored."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import func, select

from conftest import Shop, scope
from console import Client, console
from hiiki.db import engine as engine_module
from hiiki.db.embedded import EmbeddedServer
from hiiki.ingest import public, store
from hiiki.ingest.credentials import forget_doors
from hiiki.ingest.models import WebhookEvent
from hiiki.kit.ids import uuid7
from hiiki.line.signature import sign
from hiiki.settings import settings
from hiiki.web import direct
from hiiki.workspace.models import Channel
from hiiki.workspace.seal import seal
from ingest.line_side import Person, body, make_channel

SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"


@pytest.fixture
async def client(db: str) -> AsyncIterator[Client]:
    forget_doors()
    async with console() as app:
        yield app.client()


@pytest.fixture
async def channel(shop: Shop) -> Channel:
    ident = uuid7()
    return await make_channel(
        shop.workspace_id, id=ident, sealed_secret=seal(SECRET, ident, "secret"),
        sealed_token=seal("token", ident, "token"),
    )  # fmt: skip


async def post(client: Client, channel: Channel, raw: bytes, signature: str | None = "") -> Any:
    """Post a body; "" signs it as LINE does, None leaves the signature out."""
    headers = {"content-type": "application/json; charset=utf-8"}
    if signature is not None:
        headers["X-Line-Signature"] = signature or sign(SECRET, raw)
    return await client.post(f"/webhook/{channel.webhook_key}", content=raw, headers=headers)


async def stored(channel: Channel) -> list[WebhookEvent]:
    async with scope(channel.workspace_id) as session:
        return list(await session.scalars(select(WebhookEvent).order_by(WebhookEvent.serial)))


async def test_five_times_the_same_event(client: Client, channel: Channel) -> None:
    event = Person(channel).event("message", message={"id": "1", "type": "text", "text": "hi"})
    again = event | {"deliveryContext": {"isRedelivery": True}}
    answers = [await post(client, channel, body(event))]
    answers += await asyncio.gather(*(post(client, channel, body(again, event)) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 5
    assert [answer.json() for answer in answers] == [{}] * 5
    [kept] = await stored(channel)
    assert kept.event_id == event["webhookEventId"]
    assert kept.payload == event
    assert kept.state == "waiting"


@pytest.mark.parametrize("signature", [None, "bm9wZQ==", "ÿ", "x" * 5000])
async def test_a_wrong_signature(client: Client, channel: Channel, signature: str | None) -> None:
    raw = body(Person(channel).event("unfollow"))
    headers = [(b"x-line-signature", signature.encode("latin-1"))] if signature else []
    answer = await client.post(f"/webhook/{channel.webhook_key}", content=raw, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "wrong_signature"
    assert await stored(channel) == []


async def test_a_signature_of_another_body(client: Client, channel: Channel) -> None:
    person = Person(channel)
    raw, other = body(person.event("unfollow")), body(person.event("follow"))
    assert (await post(client, channel, raw, sign(SECRET, other))).status_code == 401
    assert await stored(channel) == []


async def test_an_unknown_address(client: Client, channel: Channel) -> None:
    raw = body(Person(channel).event("unfollow"))
    answer = await client.post(
        "/webhook/nobody", content=raw, headers={"x-line-signature": sign(SECRET, raw)}
    )
    assert answer.status_code == 404


async def test_a_channel_out_of_use(client: Client, channel: Channel, shop: Shop) -> None:
    async with scope(shop.workspace_id) as session:
        (await session.one(Channel, channel.id)).is_active = False
    assert (await post(client, channel, body())).status_code == 404


@pytest.mark.parametrize(
    "raw",
    [b"", b"hello", b"{", b"[]", b'"x"', b"null", b'{"events": 3}', b"\xff\xfe", b"[" * 100_000],
)
async def test_not_a_webhook(client: Client, channel: Channel, raw: bytes) -> None:
    answer = await post(client, channel, raw)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "not_a_webhook"
    assert await stored(channel) == []


async def test_no_events(client: Client, channel: Channel) -> None:
    """LINE's "verify" button posts this, signed (the SDK's published vector)."""
    raw = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'
    assert sign(SECRET, raw) == "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="
    answer = await post(client, channel, raw)
    assert (answer.status_code, answer.json()) == (200, {})


async def test_too_large(client: Client, channel: Channel) -> None:
    event = Person(channel).event("message", message={"type": "text", "text": "あ" * 400_000})
    answer = await post(client, channel, body(event))
    assert answer.status_code == 413
    assert await stored(channel) == []


async def test_too_large_without_saying_so(client: Client, channel: Channel) -> None:
    """A body in chunks, whose length nobody knows before."""

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b" " * 40_000

    answer = await client.post(f"/webhook/{channel.webhook_key}", content=parts())
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


async def test_what_is_not_a_post_to_an_address(client: Client, channel: Channel) -> None:
    looked = await client.get(f"/webhook/{channel.webhook_key}")
    assert (looked.status_code, looked.json()["error"]["code"]) == (405, "method_not_allowed")
    raw = body()
    for path in ("/webhook/", f"/webhook/{channel.webhook_key}/x", "/webhook", "/webhookx/y"):
        answer = await client.post(
            path, content=raw, headers={"x-line-signature": sign(SECRET, raw)}
        )
        assert answer.status_code in (303, 403, 404), path


async def test_while_the_event_loop_is_late_posts_are_refused_unread(
    client: Client, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has waited so long is delivered again: storing it would let the next wait as long."""
    monkeypatch.setattr(direct, "LATE", 0.2)
    raw = body(Person(channel).event("unfollow"))
    assert (await post(client, channel, body())).status_code == 200
    time.sleep(0.3)  # noqa: ASYNC251 — the loop is to be late
    refused = await post(client, channel, raw)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "unavailable")
    assert await stored(channel) == []
    await asyncio.sleep(direct.BEAT * 2.5)
    assert (await post(client, channel, raw)).status_code == 200
    assert len(await stored(channel)) == 1


async def test_posts_are_counted_and_timed(client: Client, channel: Channel) -> None:
    def counted(status: str) -> float:
        labels = {"method": "POST", "route": "/webhook/{key}", "status": status}
        return REGISTRY.get_sample_value("hiiki_http_requests_total", labels) or 0

    before = counted("200"), counted("401")
    await post(client, channel, body())
    await post(client, channel, body(), "bm9wZQ==")
    assert (counted("200"), counted("401")) == (before[0] + 1, before[1] + 1)


async def test_invented_methods_are_counted_as_one(client: Client, channel: Channel) -> None:
    def series() -> set[str]:
        return {
            sample.labels["method"]
            for metric in REGISTRY.collect()
            for sample in metric.samples
            if "route" in sample.labels
        }

    await client.get(f"/webhook/{channel.webhook_key}")
    before = series()
    for path in (f"/webhook/{channel.webhook_key}", "/login", "/nowhere"):
        answer = await client.request("INVENTED", path)
        assert answer.status_code in (404, 405), path
    assert series() - before <= {"OTHER"}
    assert "OTHER" in series()


async def test_a_body_that_does_not_arrive_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(direct, "READ_WITHIN", 0.05)
    parts = [b"{"]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not parts:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": parts.pop(), "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async with asyncio.timeout(10):
        asked = {"method": "POST", "path": "/webhook/key", "headers": []}
        await direct.ShortWay(public.webhook)(asked, receive, send)
    start, answer = sent
    assert (start["status"], dict(start["headers"])[b"connection"]) == (408, b"close")
    assert json.loads(answer["body"])["error"]["code"] == "too_slow"


async def test_a_channel_that_went_a_moment_ago(
    client: Client, channel: Channel, shop: Shop
) -> None:
    """Its address is still remembered; what comes is not stored, and not our fault."""
    assert (await post(client, channel, body())).status_code == 200
    async with scope(shop.workspace_id) as session:
        await session.delete(await session.one(Channel, channel.id))
    gone = await post(client, channel, body(Person(channel).event("unfollow")))
    assert gone.status_code == 404


async def test_odd_events_are_kept(client: Client, channel: Channel) -> None:
    """Unknown types, events without mode, id, source or time, and text PostgreSQL cannot keep."""
    events: list[Any] = [
        {"type": "newThing", "webhookEventId": "01X", "timestamp": 1, "new": {"a": 1}},
        {"type": "message", "message": {"type": "hologram", "id": "1"}},
        {"type": "message", "source": {"type": "user", "userId": "U1"}, "timestamp": 10**30},
        {},
        "not even an object",
        {"type": 7, "source": "nobody", "timestamp": "yesterday", "webhookEventId": 12},
    ]
    raw = json.dumps({"events": events}).encode()
    assert (await post(client, channel, raw)).status_code == 200
    assert (await post(client, channel, raw)).status_code == 200  # again: the same events
    assert [event.kind for event in await stored(channel)] == [
        "newThing", "message", "message", "unknown", "unknown", "unknown",
    ]  # fmt: skip
    raw = (
        b'{"events":[{"type":"message","webhookEventId":"01Y\\u0000","message":'
        b'{"text":"half \\ud83d and \\u0000 nul"}}]}'
    )
    assert (await post(client, channel, raw)).status_code == 200
    kept = (await stored(channel))[-1]
    assert kept.payload["message"]["text"] == "half \ufffd and \ufffd nul"


ODD = b'{"events":[{"type":"message","webhookEventId":"01Z","message":{"text":%s}}]}'
ODD_BODIES = {
    "half an emoji, raw": (ODD % b'"a\xed\xa0\x80b"', 200),
    "half an emoji beside a large number": (ODD % b'"\\ud83d","n":123456789012345678901234', 200),
    "another encoding, with NUL in the id": (
        (ODD % b'"x"').decode().replace("01Z", "01Z\\u0000").encode("utf-16-le"), 200,
    ),
    "no number": (ODD % b"[NaN, -Infinity, 1e999]", 200),
    "nested deeply": (ODD % (b"[" * 260 + b"]" * 260), 400),
    "nested more deeply, and odd": (ODD % (b"[" * 300 + b'"\\ud83d"' + b"]" * 300), 400),
    "nested very deeply": (ODD % (b"[" * 900 + b"]" * 900), 400),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "status"), ODD_BODIES.values(), ids=list(ODD_BODIES))
async def test_an_odd_body_beside_others(
    client: Client, channel: Channel, raw: bytes, status: int
) -> None:
    """They share a commit: it is kept or refused by itself."""
    assert (await post(client, channel, body())).status_code == 200  # the channel is known
    events = [Person(channel).event("unfollow") for _ in range(4)]
    bodies = [body(events[0]), body(events[1]), raw, body(events[2]), body(events[3])]
    answers = await asyncio.gather(*(post(client, channel, one) for one in bodies))
    assert [answer.status_code for answer in answers] == [200, 200, status, 200, 200]
    if status == 400:
        assert answers[2].json()["error"]["code"] == "not_a_webhook"
    assert len(await stored(channel)) == (5 if status == 200 else 4)


async def test_many_events_keep_their_order(client: Client, channel: Channel) -> None:
    events = [Person(channel).event("unfollow") for _ in range(100)]
    assert (await post(client, channel, body(*events))).status_code == 200
    assert [e.event_id for e in await stored(channel)] == [e["webhookEventId"] for e in events]


async def test_a_renewed_secret_is_used_at_once(
    client: Client, channel: Channel, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = body(Person(channel).event("unfollow"))
    assert (await post(client, channel, raw)).status_code == 200
    async with scope(shop.workspace_id) as session:
        row = await session.one(Channel, channel.id)
        row.sealed_secret = seal("new-secret", channel.id, "secret")
    monkeypatch.setattr("hiiki.ingest.credentials.ASKED_AGAIN_SECONDS", 0.0)
    raw = body(Person(channel).event("unfollow"))
    assert (await post(client, channel, raw, sign("new-secret", raw))).status_code == 200
    assert (await post(client, channel, raw, sign(SECRET, raw))).status_code == 401
    assert len(await stored(channel)) == 2


async def test_database_gone_and_back(
    client: Client,
    channel: Channel,
    server: EmbeddedServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = body(Person(channel).event("unfollow"))
    assert (await post(client, channel, body())).status_code == 200
    good = settings().database_url
    await engine_module.dispose()
    monkeypatch.setattr(settings(), "database_url", "postgresql://x@127.0.0.1:1/none")
    gone = await post(client, channel, raw)
    assert gone.status_code == 503
    assert gone.json()["error"]["code"] == "unavailable"
    await engine_module.dispose()
    monkeypatch.setattr(settings(), "database_url", good)
    assert (await post(client, channel, raw)).status_code == 200
    assert len(await stored(channel)) == 1


async def test_a_wall_between_workspaces(
    client: Client, channel: Channel, other_shop: Shop
) -> None:
    await post(client, channel, body(Person(channel).event("unfollow")))
    async with scope(other_shop.workspace_id) as session:
        assert await session.scalar(select(func.count()).select_from(WebhookEvent)) == 0


async def test_at_overload_it_says_so_at_once_and_nothing_is_lost(
    client: Client,
    channel: Channel,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing can be stored: some posts wait as long as they may, the others not at all."""
    monkeypatch.setattr(store, "WAITING_AT_MOST", 20)
    # Long enough for all sixty to have come, on a machine that does other things, too.
    monkeypatch.setattr(public, "ANSWER_WITHIN", 2.0)
    bodies = [body(Person(channel).event("unfollow")) for _ in range(60)]
    codes: list[str] = []

    async def refused(raw: bytes) -> None:
        answer = await post(client, channel, raw)
        assert answer.status_code == 503
        codes.append(answer.json()["error"]["code"])

    async with await psycopg.AsyncConnection.connect(database) as other:
        await post(client, channel, body())  # the channel is known
        await other.execute("lock table ingest.webhook_event in share mode")
        await asyncio.gather(*(refused(raw) for raw in bodies))
    assert set(codes) == {"overloaded", "unavailable"}
    assert codes == sorted(codes), "who is too many is told before anybody's time is over"
    again = [(await post(client, channel, raw)).status_code for raw in bodies]
    assert again == [200] * 60
    assert len(await stored(channel)) == 60
