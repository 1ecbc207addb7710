"""What this room adds to the road: what customers are worth (requirement B9)."""

from __future__ import annotations

from hiiki.kit.i18n import _
from hiiki.kit.road import Field, NavItem, Room
from hiiki.ltv import api, jobs, views
from hiiki.ltv.models import Prediction

room = Room(
    name="ltv",
    pages=views.HANDLERS,
    api=api.HANDLERS,
    nav=[NavItem("analytics", _("Lifetime value"), "chart-line", "/ltv", order=20)],
    fields=[
        Field(
            "ltv.predicted",
            _("Predicted value: the coming 12 months"),
            "money",
            Prediction.predicted,
        ),
        Field("ltv.alive", _("Chance of being still a customer"), "share", Prediction.alive),
        Field(
            "ltv.expected",
            _("Expected purchases: the coming 12 months"),
            "number",
            Prediction.expected,
        ),
    ],
    tasks=jobs.tasks,
)
