"""What this room adds to the road: ranks of recency, frequency and money (requirement B5)."""

from __future__ import annotations

from hiiki.kit.i18n import _
from hiiki.kit.road import Field, Room
from hiiki.rfm import jobs
from hiiki.rfm.models import Standing

room = Room(
    name="rfm",
    fields=[
        Field("rfm.recency", _("RFM: how lately they bought (1–5)"), "number", Standing.recency),
        Field("rfm.frequency", _("RFM: how often they buy (1–5)"), "number", Standing.frequency),
        Field("rfm.monetary", _("RFM: how much they spend (1–5)"), "number", Standing.monetary),
    ],
    tasks=jobs.tasks,
)
