"""The verdict: what the phones received against what they should have received.

Nothing here trusts Hiiki: who should have received what follows from what the simulated
friends really tapped, and what arrived is read off the emulator's phones. Hiiki's own
numbers are then held against both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from hiiki.db import everywhere
from hiiki.ingest.models import WebhookEvent

if TYPE_CHECKING:
    from hiiki.demo.friends import Friend
    from hiiki.demo.story import Opened
    from line_emulator.client import EmulatorClient


@dataclass
class Ledger:
    """What the story itself saw happen."""

    forecasts: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    clicked: set[str] = field(default_factory=set[str])
    """Personal links that were opened."""
    used: set[str] = field(default_factory=set[str])
    """Addresses of coupons that were used."""


@dataclass
class Faults:
    """What did not come out as it should have."""

    lost: int = 0
    duplicated: int = 0
    words: list[str] = field(default_factory=list[str])

    def exactly_once(self, what: str, friend: Friend, times: int) -> None:
        """Note it when something that should have arrived once did not."""
        if times == 0:
            self.lost += 1
            self.words.append(f"{what} never reached {friend.user_id}")
        elif times > 1:
            self.duplicated += times - 1
            self.words.append(f"{what} reached {friend.user_id} {times} times")

    def equal(self, what: str, found: object, expected: object) -> None:
        """Note it when two counts of the same thing differ."""
        if found != expected:
            self.words.append(f"{what}: {found}, expected {expected}")


async def verdict(line: EmulatorClient, opened: list[Opened], ledger: Ledger) -> dict[str, Any]:
    """Return the story's counts; `ok` is true when nothing was lost, doubled or miscounted."""
    faults = Faults()
    segments: dict[str, dict[str, int]] = {}
    started = finished = issued = saved = yen = clicks = used = 0
    for one in opened:
        people = list(one.friends.values())
        for friend in people:
            faults.exactly_once("the greeting", friend, friend.greeted)
            if friend.finished:
                faults.exactly_once("the coupon", friend, len(friend.coupon_urls))
            elif friend.coupon_urls:
                faults.words.append(f"{friend.user_id} got a coupon without finishing")
        for campaign in one.shop.campaigns:
            wanted = {f.user_id for f in people if not f.blocked and campaign.wants(f.tags)}
            received = {f.user_id for f in people if f.campaign.get(campaign.marker)}
            for friend in people:
                if friend.user_id in wanted:
                    times = friend.campaign.get(campaign.marker, 0)
                    faults.exactly_once(campaign.marker, friend, times)
            outside = received - wanted
            if outside:
                faults.words.append(f"{campaign.marker} reached {len(outside)} others")
            segments[campaign.segment] = {
                "members": len(wanted),
                "received": len(received),
                "received_by_others": len(outside),
            }
            if campaign.marker not in one.broadcasts:
                continue  # the segment was empty, which `wanted` has confirmed or refuted
            report = await one.api.get(f"/broadcasts/{one.broadcasts[campaign.marker]}/report")
            faults.equal(f"targeted by {campaign.marker}", report["targeted"], len(wanted))
            faults.equal(f"accepted of {campaign.marker}", report["accepted"], len(wanted))
            clicks += report["clicked"]
            forecast = ledger.forecasts[campaign.marker]
            saved += forecast["saved_messages"]
            yen += int(Decimal(forecast["saved_cost"]))
        results = await one.api.get(f"/surveys/{one.survey_id}/results")
        faults.equal(
            f"finished surveys of {one.shop.name}",
            results["finished"],
            sum(friend.finished for friend in people),
        )
        started += results["started"]
        finished += results["finished"]
        coupon = await one.api.get(f"/coupons/{one.coupon_id}")
        issued += coupon["issued"]
        used += coupon["used"]
    everyone = [friend for one in opened for friend in one.friends.values()]
    faults.equal("coupons issued", issued, sum(friend.finished for friend in everyone))
    faults.equal("coupons used", used, len(ledger.used))
    faults.equal("people who clicked", clicks, len(ledger.clicked))
    webhooks = await _webhooks(line, faults)
    return {
        "ok": not faults.words and faults.lost == 0 and faults.duplicated == 0,
        "friends": len(everyone),
        "surveys_started": started,
        "surveys_finished": finished,
        "coupons_issued": issued,
        "segments": segments,
        "messages_saved": saved,
        "yen_saved": yen,
        "clicks": clicks,
        "coupons_used": used,
        "webhook_events": webhooks,
        "lost": faults.lost,
        "duplicated": faults.duplicated,
        **({"faults": faults.words[:20]} if faults.words else {}),
    }


async def _webhooks(line: EmulatorClient, faults: Faults) -> int:
    """Return how many events Hiiki keeps, having held that against what LINE sent."""
    sent = (await line.webhook_stats())["total"]["created"]
    async with everywhere() as session:  # it counts both shops
        kept, handled = (
            await session.execute(
                select(
                    func.count(), func.count().filter(WebhookEvent.state == "handled")
                ).select_from(WebhookEvent)
            )
        ).one()
    faults.lost += max(0, sent - kept)
    faults.equal("webhook events kept", kept, sent)
    faults.equal("webhook events handled", handled, kept)
    return kept
