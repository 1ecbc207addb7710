"""A survey through real processes: LINE's emulator, the web server, a worker."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select

import hiiki.rooms  # noqa: F401 — opens the road
from conftest import Shop, scope
from hiiki.actions.models import Rule
from hiiki.contacts.models import Contact
from hiiki.coupons.models import Coupon, Issue
from hiiki.ingest.models import WebhookEvent
from hiiki.kit.ids import uuid7
from hiiki.surveys import service
from hiiki.surveys.schemas import SurveySpec
from hiiki.timeline import Event
from hiiki.workspace.seal import seal
from ingest.line_side import make_channel, until
from line_emulator.client import EmulatorClient
from stack import LineProcess, Running, Web

FRIENDS = 12


@pytest.mark.slow
async def test_each_friend_gets_one_coupon(
    shop: Shop, emulator_process: LineProcess, web: Web, worker: Running
) -> None:
    """Every webhook is posted three times and everybody taps twice: one coupon each."""
    line = emulator_process.channel
    ident = uuid7()
    channel = await make_channel(
        shop.workspace_id,
        id=ident,
        line_channel_id=line["channel_id"],
        sealed_secret=seal(line["channel_secret"], ident, "secret"),
        sealed_token=seal(line["access_token"], ident, "token"),
    )
    async with scope(shop.workspace_id) as session:
        coupon = Coupon(title="10%OFF", benefit="percent", amount=10)
        session.add(coupon)
        await session.flush()
        spec = {
            "name": "お好み",
            "thanks": "ありがとう",
            "questions": [
                {"kind": "choice", "title": "辛さは?",
                 "choices": [{"label": "甘口"}, {"label": "辛口"}]},
                {"kind": "choice", "title": "量は?", "presentation": "buttons",
                 "choices": [{"label": "並"}, {"label": "大盛り"}]},
            ],
            "finish_actions": [{"kind": "coupon_issue", "coupon_id": str(coupon.id)}],
        }  # fmt: skip
        survey = await service.create_survey(session, SurveySpec.model_validate(spec))
        await service.publish(session, survey.id)
        start = {"kind": "survey_start", "survey_id": str(survey.id)}
        session.add(Rule(name="はじめに", event_kind="follow", actions=[start]))
    async with EmulatorClient(emulator_process.url) as client:
        await client.update_channel(
            line["channel_id"],
            webhook_url=f"{web.url}/webhook/{channel.webhook_key}",
            use_webhook=True,
        )
        await client.duplicate_webhooks(2)
        users = [user["id"] for user in await client.create_users(FRIENDS)]

        async def said(words: str) -> bool:
            pages = [await client.received(user) for user in users]
            return all(words in str(page) for page in pages)

        try:
            await asyncio.gather(*(client.follow(user) for user in users))
            await until(lambda: said("辛さは?"), 60)
            taps = [{"user": user, "type": "tap", "label": "甘口"} for user in users]
            assert all(r["ok"] for r in await client.acts(taps + taps))
            await until(lambda: said("量は?"), 60)
            await asyncio.gather(*(client.tap(user, "並") for user in users for _tap in range(2)))
            await until(lambda: said("ありがとう"), 60)
            await client.wait_webhooks_done(30)

            async def handled() -> bool:
                async with scope(shop.workspace_id) as session:
                    query = select(func.count()).where(WebhookEvent.state == "waiting")
                    return not await session.scalar(query)

            await until(handled, 60)
            async with scope(shop.workspace_id) as session:
                assert await session.scalar(select(func.count()).select_from(Contact)) == FRIENDS
                holders = list(await session.scalars(select(Issue.contact_id)))
                counted = select(Event.kind, func.count()).group_by(Event.kind)
                kinds = {row[0]: row[1] for row in await session.execute(counted)}
            assert len(holders) == len(set(holders)) == FRIENDS
            assert kinds["survey_start"] == kinds["survey_finish"] == FRIENDS
            assert kinds["survey_answer"] == 2 * FRIENDS
            assert kinds["follow"] == FRIENDS
            for user in users:
                thanks = [m for m in await client.received(user) if m.get("text") == "ありがとう"]
                assert len(thanks) == 1
        finally:
            await client.duplicate_webhooks(0)
