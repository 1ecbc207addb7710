"""Tracked links: who opened them, and what is no opening."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from litestar.testing import AsyncTestClient
from sqlalchemy import select

from conftest import Shop
from console import the_app
from hiiki.contacts.models import Contact, Friendship
from hiiki.content import links, tickets
from hiiki.db import scope
from hiiki.kit.clock import now
from hiiki.timeline import Event, record
from hiiki.workspace.models import Channel

URL = "https://example.com/new?menu=%E8%BE%9B&x=1#a"


@pytest.fixture
async def client(db: str) -> AsyncIterator[AsyncTestClient[Any]]:
    async with AsyncTestClient(the_app()) as client:
        yield client


async def make(shop: Shop, owner: str = "broadcast:1") -> tuple[str, uuid.UUID, uuid.UUID]:
    """A link, a friend, and the account on which the friend is."""
    person = uuid.uuid4()
    async with scope(shop.workspace_id) as session:
        channel = Channel(
            name="店",
            line_channel_id=uuid.uuid4().hex,
            provider="p",
            sealed_secret=b"",
            sealed_token=b"",
            webhook_key=uuid.uuid4().hex,
        )
        session.add_all([channel, Contact(id=person, display_name="花子")])
        await session.flush()
        session.add(
            Friendship(
                contact_id=person,
                channel_id=channel.id,
                line_user_id="U1",
                status="following",
                followed_at=now(),
            )
        )
        codes = await links.ensure(session, owner, [(URL, "見る")])
        return codes[URL, "見る"], person, channel.id


async def opened(shop: Shop) -> list[Event]:
    async with scope(shop.workspace_id) as session:
        return list(await session.scalars(select(Event).where(Event.kind == "link_open")))


async def test_an_opening_is_recorded_and_leads_on(
    shop: Shop, client: AsyncTestClient[Any]
) -> None:
    code, person, channel_id = await make(shop)
    path = f"/l/{code}/{tickets.ticket(code, person)}"
    answer = await client.get(path, follow_redirects=False)
    assert answer.status_code == 302
    assert answer.headers["location"] == URL
    assert answer.headers["cache-control"] == "no-store"
    (event,) = await opened(shop)
    assert (event.contact_id, event.channel_id) == (person, channel_id)
    assert event.data["owner"] == "broadcast:1"


async def test_it_belongs_to_the_account_that_sent_it(
    shop: Shop, client: AsyncTestClient[Any]
) -> None:
    code, person, _channel_id = await make(shop)
    _code, _person, other_channel = await make(shop)
    async with scope(shop.workspace_id) as session:
        record(session, person, "sent", channel_id=other_channel, subject="broadcast:1")
    await client.get(f"/l/{code}/{tickets.ticket(code, person)}", follow_redirects=False)
    assert (await opened(shop))[0].channel_id == other_channel


@pytest.mark.parametrize(
    "headers",
    [
        {"user-agent": "facebookexternalhit/1.1;line-poker/1.0"},
        {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
        {"user-agent": "Slackbot-LinkExpanding 1.0"},
        {"sec-purpose": "prefetch;prerender"},
        {"purpose": "preview"},
        {"x-moz": "prefetch"},
    ],
)
async def test_previewers_and_prefetches_do_not_count(
    shop: Shop, client: AsyncTestClient[Any], headers: dict[str, str]
) -> None:
    code, person, _channel_id = await make(shop)
    path = f"/l/{code}/{tickets.ticket(code, person)}"
    answer = await client.get(path, headers=headers, follow_redirects=False)
    assert answer.headers["location"] == URL
    assert await opened(shop) == []


async def test_a_look_a_bare_code_and_a_wrong_ticket_lead_on_without_counting(
    shop: Shop, client: AsyncTestClient[Any]
) -> None:
    code, person, _channel_id = await make(shop)
    ticket = tickets.ticket(code, person)
    other = tickets.ticket("othercode1", person)
    changed = ticket[:-1] + ("B" if ticket.endswith("A") else "A")
    head = await client.head(f"/l/{code}/{ticket}", follow_redirects=False)
    assert (head.status_code, head.headers["location"]) == (302, URL)
    for path in (f"/l/{code}", f"/l/{code}/{other}", f"/l/{code}/x", f"/l/{code}/{changed}"):
        answer = await client.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (302, URL)
    assert await opened(shop) == []
    assert (await client.get("/l/unknown")).status_code == 404
    assert (await client.get(f"/l/unknown/{ticket}")).status_code == 404


async def test_a_contact_who_was_erased_is_not_brought_back(
    shop: Shop, client: AsyncTestClient[Any]
) -> None:
    code, person, _channel_id = await make(shop)
    async with scope(shop.workspace_id) as session:
        await session.delete(await session.one(Contact, person))
    answer = await client.get(f"/l/{code}/{tickets.ticket(code, person)}", follow_redirects=False)
    assert answer.headers["location"] == URL
    assert await opened(shop) == []


@given(st.text(max_size=40))
@hypothesis_settings(max_examples=300, deadline=None)
def test_no_ticket_can_be_made_up(text: str) -> None:
    assert tickets.contact_of("code", text) is None


@given(st.integers(0, 31), st.sampled_from("ABCxyz0189-_=+/ あ"))
@hypothesis_settings(max_examples=200, deadline=None)
def test_a_changed_ticket_is_nobodys(at: int, letter: str) -> None:
    person = uuid.UUID(int=5)
    good = tickets.ticket("code", person)
    changed = good[:at] + letter + good[at + 1 :]
    assert tickets.contact_of("code", good) == person
    assert tickets.contact_of("code", changed) == (person if changed == good else None)
    assert tickets.contact_of("code2", good) is None
