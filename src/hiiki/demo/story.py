"""The story itself: two shops, their friends, surveys, broadcasts, clicks and coupons."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import exists, or_, select

from hiiki.db import everywhere, scope
from hiiki.db.engine import dispose
from hiiki.delivery.models import Parcel
from hiiki.demo.api import Api
from hiiki.demo.check import Ledger, verdict
from hiiki.demo.friends import Friend, make_friend, respond
from hiiki.demo.run import Stage
from hiiki.demo.shops import SHOPS, Campaign, Shop
from hiiki.ingest.models import WebhookEvent
from hiiki.rooms import registry
from hiiki.workspace import service as workspaces
from line_emulator.client import EmulatorClient

BATCH = 40
AT_THE_DOOR = 60
"""Friends who have come and wait for their greeting: more would wait longer than a reply token
lives, and what a shop says then costs a push."""
QUIET = 4.0
"""Seconds without anything new after which everybody has said what they had to say."""

PATIENCE = 60.0
"""Seconds of silence after which Hiiki's work in hand is not waited for any more."""


@dataclass
class Opened:
    """A shop that is set up: its API, its people."""

    shop: Shop
    api: Api
    channel: dict[str, str]
    channel_id: str
    survey_id: str = ""
    coupon_id: str = ""
    tag_ids: dict[str, str] = field(default_factory=dict[str, str])
    friends: dict[str, Friend] = field(default_factory=dict[str, Friend])
    broadcasts: dict[str, str] = field(default_factory=dict[str, str])
    """Marker of a campaign → id of its broadcast."""


class Phones:
    """All phones together: what arrives on any of them, in order."""

    def __init__(self, line: EmulatorClient) -> None:
        self.line = line
        self.owners: dict[str, Opened] = {}
        """User id → the shop this person belongs to."""
        self.reached: set[str] = set()
        """Whom something has reached by now."""
        self._after = 0

    async def rest(self) -> list[list[dict[str, Any]]]:
        """Return all that has arrived and was not read yet, in batches."""
        found: list[list[dict[str, Any]]] = []
        while batch := await self._next(0):
            found.append(batch)
        return found

    async def until_quiet(self, busy: asyncio.Task[None]) -> AsyncIterator[list[dict[str, Any]]]:
        """Yield arrivals in batches until `busy` is done and it has been quiet for a while."""
        quiet = silent = 0.0
        while quiet < QUIET or not busy.done():
            if busy.done() and not busy.cancelled() and (error := busy.exception()):
                raise error
            if batch := await self._next(0.5):
                quiet = silent = 0.0
                yield batch
            else:
                silent += 0.5
                stats = await self.line.webhook_stats()
                at_work = stats["total"]["pending"] or (silent < PATIENCE and await _at_work())
                quiet = 0.0 if at_work else quiet + 0.5

    async def _next(self, wait: float) -> list[dict[str, Any]]:
        batch, _last = await self.line.deliveries_page(self._after, limit=2000, wait=wait)
        if batch:
            self._after = batch[-1]["seq"]
            self.reached.update(delivery["user"] for delivery in batch)
        return batch


async def _at_work() -> bool:
    """Tell whether Hiiki has events or messages in hand, as a busy machine may let it pause."""
    async with everywhere() as session:  # both shops
        events = exists().where(WebhookEvent.state == "waiting")
        parcels = exists().where(Parcel.state.in_(("ready", "sending")))
        return bool(await session.scalar(select(or_(events, parcels))))


async def tell(stage: Stage, count: int, seed: int, console: Console) -> dict[str, Any]:
    """Tell the story on `stage` with `count` friends; returns the counts and `ok`."""
    assert registry.rooms  # the road is open: some of what follows uses rooms directly
    dice = random.Random(seed)  # noqa: S311 — a story, not a secret
    connector = aiohttp.TCPConnector(limit=32)
    async with (
        aiohttp.ClientSession(connector=connector) as http,
        EmulatorClient(stage.line_url) as line,
    ):
        tokens = await _open_workspaces(stage)
        opened = [
            await _open_shop(shop, Api(http, stage.web_url, token), line, channel, console)
            for shop, token, channel in zip(SHOPS, tokens, stage.channels, strict=True)
        ]
        # LINE delivers some webhooks twice; so does the emulator here.
        await line.duplicate_webhooks(1, 0.05)
        ledger = Ledger()
        bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        with bars:
            phones = Phones(line)
            await _meet(phones, opened, count, dice, bars)
            for one in opened:
                await _send_campaigns(one, phones, ledger, bars, console)
            await _follow_up(http, opened, ledger, bars)
        result = await verdict(line, opened, ledger)
    await dispose()
    return result


async def _open_workspaces(stage: Stage) -> list[str]:
    """Make both shops with one owner; returns an API token for each."""
    tokens: list[str] = []
    staff_id = None
    for shop in SHOPS:
        async with everywhere() as session:  # the workspaces do not exist yet
            workspace = await workspaces.create_workspace(session, shop.name)
            if staff_id is None:
                staff = await workspaces.create_staff(
                    session,
                    workspace.id,
                    stage.owner_email,
                    "店長",
                    stage.owner_password,
                    "owner",
                )
                staff_id = staff.id
            else:
                await workspaces.join(session, workspace.id, staff_id, "owner")
        async with scope(workspace.id) as session:
            tokens.append(await workspaces.create_token(session, "demo", "owner"))
    return tokens


async def _open_shop(
    shop: Shop, api: Api, line: EmulatorClient, channel: dict[str, str], console: Console
) -> Opened:
    console.print(f"[bold]{shop.name}[/]")
    await line.update_channel(
        channel["channel_id"], name=shop.name, quota=shop.quota, consumed=shop.consumed
    )
    added = await api.post(
        "/channels",
        {
            "line_channel_id": channel["channel_id"],
            "secret": channel["channel_secret"],
            "token": channel["access_token"],
        },
    )
    one = Opened(shop, api, channel, added["id"])
    for label in shop.tags:
        one.tag_ids[label] = (await api.post("/tags", {"name": label}))["id"]
    attributes: dict[str, str] = {}
    for key, label, kind in shop.attributes:
        made = await api.post("/attributes", {"key": key, "label": label, "kind": kind})
        attributes[key] = made["id"]
    coupon = {"title": shop.coupon, "benefit": "percent", "amount": 10, "valid_days": 30}
    one.coupon_id = (await api.post("/coupons", coupon))["id"]
    survey = {
        "name": shop.survey,
        "intro": shop.intro,
        "thanks": shop.thanks,
        "questions": [
            {
                "kind": question.kind,
                "title": question.title,
                "presentation": question.presentation,
                "attribute_id": attributes.get(question.attribute),
                "choices": [
                    {
                        "label": label,
                        "actions": [{"kind": "tag_add", "tag_id": one.tag_ids[label]}],
                    }
                    for label in question.choices
                ],
            }
            for question in shop.questions
        ],
        "finish_actions": [{"kind": "coupon_issue", "coupon_id": one.coupon_id}],
    }
    one.survey_id = (await api.post("/surveys", survey))["id"]
    await api.post(f"/surveys/{one.survey_id}/publish")
    await api.post(
        "/rules",
        {
            "name": "あいさつとアンケート",
            "event_kind": "follow",
            "actions": [
                {"kind": "send", "draft": {"blocks": [{"kind": "text", "text": shop.greeting}]}},
                {"kind": "survey_start", "survey_id": one.survey_id},
            ],
        },
    )
    console.print("  account checked against LINE, webhook tested, survey live")
    return one


async def _meet(
    phones: Phones,
    opened: list[Opened],
    count: int,
    dice: random.Random,
    bars: Progress,
) -> None:
    """Let all friends add their account and answer, until nothing more happens."""
    line = phones.line
    newcomers: list[dict[str, Any]] = []
    left = count
    for index, one in enumerate(opened):
        share = left if index == len(opened) - 1 else round(count * one.shop.share)
        left -= share
        for start in range(0, share, 1000):
            for user in await line.create_users(min(1000, share - start)):
                friend = make_friend(user["id"], one.channel["channel_id"], one.shop, dice)
                one.friends[friend.user_id] = friend
                phones.owners[friend.user_id] = one
                newcomers.append(
                    {"user": friend.user_id, "channel": friend.channel, "type": "follow"}
                )
    dice.shuffle(newcomers)
    adding = bars.add_task("friends added    ", total=count)
    done = bars.add_task("surveys finished ", total=count)

    async def add() -> None:
        for start in range(0, len(newcomers), BATCH):
            for result in await line.acts(newcomers[start : start + BATCH]):
                if not result["ok"]:
                    raise RuntimeError(f"the emulator would not let a friend add: {result}")
            added = min(start + BATCH, count)
            bars.update(adding, completed=added)
            await asyncio.sleep(0.02)
            while added - len(phones.reached) > AT_THE_DOOR:  # noqa: ASYNC110 — others tell
                await asyncio.sleep(0.05)

    task = asyncio.create_task(add())
    async for batch in phones.until_quiet(task):
        acts = _take_in(batch, phones, dice)
        if acts:
            for act, result in zip(acts, await line.acts(acts), strict=True):
                if not result["ok"]:
                    raise RuntimeError(f"a friend could not {act}: {result}")
        bars.update(done, completed=_finished(opened))
    await task
    bars.update(done, total=_finished(opened), completed=_finished(opened))


def _take_in(
    batch: list[dict[str, Any]], phones: Phones, dice: random.Random
) -> list[dict[str, Any]]:
    """Let the friends read what arrived; returns what they do about it."""
    acts: list[dict[str, Any]] = []
    for delivery in batch:
        one = phones.owners[delivery["user"]]
        friend = one.friends[delivery["user"]]
        acts += respond(friend, delivery["messages"], one.shop, dice)
    return acts


def _finished(opened: list[Opened]) -> int:
    return sum(friend.finished for one in opened for friend in one.friends.values())


async def _send_campaigns(
    one: Opened, phones: Phones, ledger: Ledger, bars: Progress, console: Console
) -> None:
    for campaign in one.shop.campaigns:
        segment = await one.api.post(
            "/segments", {"name": campaign.segment, "rule": campaign.rule(one.tag_ids)}
        )
        forecast = await one.api.get(
            "/broadcasts/forecast", channel_id=one.channel_id, segment_id=segment["id"]
        )
        if forecast["recipients"] == 0:
            console.print(f"  {campaign.segment}: nobody yet, so nothing is sent")
            continue
        console.print(
            f"  {campaign.segment}: {forecast['recipients']:,} messages, {_yen(forecast['cost'])}; "
            f"saves {forecast['saved_messages']:,} messages, {_yen(forecast['saved_cost'])} "
            f"against everybody; {forecast['quota_left_after']:,} left of the quota"
        )
        ledger.forecasts[campaign.marker] = forecast
        broadcast = await one.api.post(
            "/broadcasts",
            {
                "name": campaign.marker,
                "channel_id": one.channel_id,
                "segment_id": segment["id"],
                "draft": _draft(campaign),
            },
        )
        one.broadcasts[campaign.marker] = broadcast["id"]
        await one.api.post(f"/broadcasts/{broadcast['id']}/send")
        bar = bars.add_task("broadcast        ", total=forecast["recipients"])
        while True:
            report = await one.api.get(f"/broadcasts/{broadcast['id']}/report")
            settled = report["targeted"] - report["waiting"]
            bars.update(bar, completed=settled, total=report["targeted"])
            if report["pause_reason"]:
                raise RuntimeError(f"the send was paused: {report['pause_reason']}")
            if report["targeted"] and report["waiting"] == 0:
                break
            await asyncio.sleep(0.3)
        for batch in await phones.rest():
            _take_in(batch, phones, random.Random(0))  # noqa: S311 — nobody answers a broadcast


def _yen(amount: str) -> str:
    return f"¥{Decimal(amount):,.0f}"


def _draft(campaign: Campaign) -> dict[str, Any]:
    return {
        "blocks": [
            {"kind": "text", "text": campaign.text},
            {
                "kind": "card",
                "title": campaign.marker,
                "text": "くわしくはこちらから。",
                "buttons": [{"label": campaign.button, "action": "link", "value": campaign.url}],
            },
        ]
    }


async def _follow_up(
    http: aiohttp.ClientSession, opened: list[Opened], ledger: Ledger, bars: Progress
) -> None:
    """Let those who are curious open their link, and some of them use their coupon."""
    openers = [
        friend for one in opened for friend in one.friends.values() if friend.links and friend.opens
    ]
    clicks = bars.add_task("links opened     ", total=len(openers))
    gate = asyncio.Semaphore(16)

    async def open_link(friend: Friend) -> None:
        async with gate:
            for link in friend.links:
                async with http.get(link, allow_redirects=False) as answer:
                    if answer.status == 302:
                        ledger.clicked.add(link)
            bars.advance(clicks)

    await asyncio.gather(*(open_link(friend) for friend in openers))
    users = [friend for friend in openers if friend.redeems and friend.coupon_urls]
    uses = bars.add_task("coupons used     ", total=len(users))

    async def use_coupon(friend: Friend) -> None:
        async with gate:
            [url] = set(friend.coupon_urls)
            async with http.get(url) as shown:
                shown.raise_for_status()
            # A nervous finger taps twice; the coupon is used once.
            for _tap in range(2):
                async with http.post(f"{url}/use", allow_redirects=True) as answer:
                    await answer.read()
            ledger.used.add(url)
            bars.advance(uses)

    await asyncio.gather(*(use_coupon(friend) for friend in users))
