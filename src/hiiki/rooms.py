"""All rooms, in the order in which the console lists them. A new capability adds one line."""

from __future__ import annotations

from hiiki.actions.room import room as actions
from hiiki.broadcasts.room import room as broadcasts
from hiiki.contacts.room import room as contacts
from hiiki.content.room import room as content
from hiiki.coupons.room import room as coupons
from hiiki.delivery.room import room as delivery
from hiiki.idlink.room import room as idlink
from hiiki.imports.room import room as imports
from hiiki.ingest.room import room as ingest
from hiiki.kit.road import open_road
from hiiki.ltv.room import room as ltv
from hiiki.ninecells.room import room as ninecells
from hiiki.personas.room import room as personas
from hiiki.purchases.room import room as purchases
from hiiki.reports.room import room as reports
from hiiki.rfm.room import room as rfm
from hiiki.segments.room import room as segments
from hiiki.surveys.room import room as surveys
from hiiki.timeline.room import room as timeline
from hiiki.workspace.room import room as workspace

registry = open_road(
    [
        reports,
        workspace,
        contacts,
        timeline,
        content,
        segments,
        delivery,
        actions,
        ingest,
        surveys,
        broadcasts,
        coupons,
        ninecells,
        personas,
        rfm,
        idlink,
        purchases,
        imports,
        ltv,
    ]
)
