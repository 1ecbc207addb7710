"""Unit names: each send has one, on every request, so that LINE can count who opened it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from delivery.conftest import Account, OpenAccount, finished, sending, until
from hiiki.db import scope
from hiiki.delivery import units
from hiiki.delivery.models import InsightAccount, Interaction
from hiiki.delivery.service import say
from hiiki.kit.clock import now


def names(account: Account) -> set[str]:
    """The unit names that LINE has seen this month."""
    platform = account.line.platform
    return set(platform.channels[account.line_channel_id].units.get(platform.clock.month(), ()))


def under(account: Account, name: str) -> int:
    """How many phones got something under this name."""
    phones = account.line.platform.channels[account.line_channel_id].phones.values()
    return sum(getattr(entry, "unit", None) == name for phone in phones for entry in phone.entries)


async def left(account: Account) -> int:
    async with scope(account.workspace_id) as session:
        return await units.names_left(session, account.channel_id)


async def line_says(account: Account, used: int, at: datetime) -> None:
    """As though LINE had been asked then."""
    async with scope(account.workspace_id) as session:
        await units.ensure_account(session, account.workspace_id, account.channel_id)
        row = await session.one(InsightAccount, account.channel_id)
        row.units_used, row.units_asked_at = used, at


@pytest.mark.parametrize("personal", [False, True])
async def test_every_request_of_a_send_carries_its_name(
    accounts: OpenAccount, personal: bool
) -> None:
    account = await accounts(25)
    message = "{{ name }}さんへ" if personal else "新作です"
    async with sending():
        first = await account.send(message, personal=personal)
        second = await account.send(message, personal=personal)
        await finished(account, first)
        await finished(account, second)
        async with scope(account.workspace_id) as session:
            await say(
                session,
                contact_id=account.contacts[0],
                channel_id=account.channel_id,
                messages=[{"type": "text", "text": "ひとりに"}],
            )

        async def spoken() -> bool:
            return account.arrivals()[account.users[0]] == 3

        await until(spoken)
    mine, other = units.name_of(first), units.name_of(second)
    assert mine != other
    assert re.fullmatch("[a-z2-7]{26}", mine)
    assert names(account) == {mine, other}
    assert (under(account, mine), under(account, other)) == (25, 25)
    assert (await account.get(first)).unit == mine


async def test_fewer_than_twenty_people_use_up_no_name(accounts: OpenAccount) -> None:
    account = await accounts(20)
    few = await account.send(to=account.contacts[:19])
    enough = await account.send()
    assert (await account.get(few)).unit is None
    assert (await account.get(enough)).unit == units.name_of(enough)
    async with scope(account.workspace_id) as session:
        assert list(await session.scalars(select(Interaction.send_id))) == [enough]
    assert await left(account) == 999


async def _others(account: Account, count: int, at: datetime, *, finished: bool) -> None:
    """So many sends with names, begun at `at`."""
    ended = "now()" if finished else "null"
    await account.execute(
        "insert into delivery.send (id, workspace_id, channel_id, subject, messages, personal,"
        " unit, state, targeted, blocked, accepted, refused, in_doubt, cancelled, running_since,"
        " settled_before, created_at, updated_at, finished_at)"
        " select gen_random_uuid(), :workspace, :channel, 'x', '[]', false, 'u' || n, 'done',"
        f" 20, 0, 20, 0, 0, 0, :at, 0, :at, :at, {ended} from generate_series(1, :count) n",
        workspace=account.workspace_id,
        channel=account.channel_id,
        at=at,
        count=count,
    )


async def test_sends_beyond_the_months_thousand_go_without(accounts: OpenAccount) -> None:
    account = await accounts(20)
    month = units.month_start(now())
    before = month - timedelta(days=3)
    # Last month's do not count, unless they went on into this one.
    await _others(account, 1500, before, finished=False)
    await account.execute("update delivery.send set finished_at = :at", at=before)
    assert await left(account) == 1000
    await _others(account, 10, before, finished=True)
    await _others(account, 988, now(), finished=True)
    last_but_one, last, over = [await account.send() for _ in range(3)]
    found = [(await account.get(ident)).unit for ident in (last_but_one, last, over)]
    assert found == [units.name_of(last_but_one), units.name_of(last), None]
    async with sending():
        await finished(account, last)
        await finished(account, over)
    assert set(account.arrivals().values()) == {3}
    assert units.name_of(over) not in names(account)


async def test_names_of_other_tools_count_as_line_tells_them(accounts: OpenAccount) -> None:
    account = await accounts(20)
    old: UUID = await account.send()
    await line_says(account, 999, now())
    assert await left(account) == 1
    await account.send()
    assert await left(account) == 0
    assert (await account.get(await account.send())).unit is None
    # What LINE said last month says nothing of this one.
    await line_says(account, 1000, units.month_start(now()) - timedelta(seconds=1))
    assert await left(account) == 998
    assert (await account.get(old)).unit


@pytest.mark.parametrize(
    ("moment", "start"),
    [
        (datetime(2026, 11, 30, 14, 59, tzinfo=UTC), datetime(2026, 10, 31, 15, tzinfo=UTC)),
        (datetime(2026, 11, 30, 15, 0, tzinfo=UTC), datetime(2026, 11, 30, 15, tzinfo=UTC)),
    ],
)
def test_lines_month_is_japans(moment: datetime, start: datetime) -> None:
    assert units.month_start(moment) == start


def test_every_name_is_its_own() -> None:
    made = {units.name_of(uuid4()) for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(name) <= 30 for name in made)
