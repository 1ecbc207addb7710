"""Which segments would make no sense if one of the shop's own fields were of another kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, select

from hiiki.kit.i18n import _
from hiiki.kit.road import Usage
from hiiki.segments.check import unsuited
from hiiki.segments.conditions import AttributeIs
from hiiki.segments.models import Segment
from hiiki.segments.rules import stored_rule, walk


async def hinders(
    session: Any, attribute_id: UUID, kind: str, choices: Sequence[str]
) -> Sequence[Usage]:
    """Return the segments with a condition about the attribute that does not suit the kind."""
    rows = await session.scalars(
        select(Segment)
        .where(cast(Segment.rule, Text).contains(str(attribute_id)))
        .order_by(Segment.name)
    )
    return [
        Usage(str(_("Segment “%(name)s”", name=row.name)), f"/segments/{row.id}/edit")
        for row in rows
        if (rule := stored_rule(row.rule)) is not None
        and any(
            isinstance(part, AttributeIs)
            and part.attribute_id == attribute_id
            and unsuited(part.test, kind, choices)
            for _path, part in walk(rule)
        )
    ]
