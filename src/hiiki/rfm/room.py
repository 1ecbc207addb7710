"""What this room adds to the road: ranks of recency, frequency and money (requirement B5)."""

from __future__ import annotations

from hiiki.kit.i18n import _
from hiiki.kit.road import Field, NavItem, Room
from hiiki.rfm import api, jobs, views
from hiiki.rfm.models import Standing
from hiiki.rfm.ranking import ranked_by

room = Room(
    name="rfm",
    pages=views.HANDLERS,
    api=api.HANDLERS,
    nav=[NavItem("analytics", _("RFM"), "grid-dots", "/rfm", order=10)],
    fields=[
        Field(name, label, "number", column, mark=ranked_by)
        for name, label, column in (
            ("rfm.recency", _("RFM: how lately they bought (1–5)"), Standing.recency),
            ("rfm.frequency", _("RFM: how often they buy (1–5)"), Standing.frequency),
            ("rfm.monetary", _("RFM: how much they spend (1–5)"), Standing.monetary),
        )
    ],
    tasks=jobs.tasks,
)
