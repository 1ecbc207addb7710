"""The home page: where the shop stands, and what to do next."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import get
from litestar.response import Template
from sqlalchemy import select

from hiiki.db import WorkspaceSession
from hiiki.delivery.lists import halted
from hiiki.delivery.words import gist, halt_of
from hiiki.kit.i18n import gettext
from hiiki.kit.pages import page
from hiiki.reports.chart import buckets_as_words, journey_chart, trend_chart
from hiiki.reports.service import CHARTED_LABELS, PERIODS, overview, period
from hiiki.workspace.access import Access
from hiiki.workspace.models import Channel


@get("/", name="home")
async def home(
    access: Access,
    session: WorkspaceSession,
    period_name: str | None = None,
    channel: UUID | None = None,
) -> Template:
    """Show the numbers of the journey for a period and, if chosen, one account."""
    chosen = period(period_name)
    channels = list(await session.scalars(select(Channel).order_by(Channel.name)))
    found = await overview(session, chosen, access.timezone, channel)
    words = buckets_as_words(found.buckets, chosen)
    return page(
        "reports/home.html",
        overview=found,
        periods=PERIODS,
        chosen=chosen,
        channels=channels,
        halted=[
            (gist(send.messages), halt_of(send.id, account.id, stands))
            for send, account, stands in await halted(session)
        ],
        channel_id=channel,
        journey=journey_chart(found),
        journey_rows=[(str(step.label), step.people) for step in found.steps],
        trend=trend_chart(found, words),
        trend_columns=[gettext("When"), *(str(label) for label in CHARTED_LABELS.values())],
        trend_rows=_rows(words, found.series),
    )


def _rows(words: list[str], series: dict[str, list[int]]) -> list[list[Any]]:
    return [
        [word, *(series[kind][index] for kind in CHARTED_LABELS)]
        for index, word in enumerate(words)
    ]
