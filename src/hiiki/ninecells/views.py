"""Console pages: the map, its settings, and from a cell to a message."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from litestar import get, post
from litestar.response import Redirect, Template

from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid, NotFound
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.pages import WebRequest, form_data, page, to
from hiiki.kit.road import road
from hiiki.ninecells import figures, service
from hiiki.ninecells.cells import BY_NAME, CELLS
from hiiki.ninecells.charts import months_chart
from hiiki.ninecells.kept import kept
from hiiki.ninecells.places import builder_url, segment_of
from hiiki.ninecells.schemas import SetupIn
from hiiki.workspace.access import Access, audit

OPERATOR = {"role": "operator"}
MEANINGS: dict[str, tuple[tuple[str, Text], ...]] = {
    "aware": (("yes", _("Knows you")), ("no", _("Does not know you"))),
    "bought": (
        ("never", _("Has never bought")),
        ("lapsed", _("Has bought formerly")),
        ("general", _("Buys now and then")),
        ("loyal", _("Buys often")),
    ),
    "again": (("yes", _("Means to choose you")), ("no", _("Does not mean to"))),
}
"""What an answer can mean, by part."""
PART_LABELS = {
    "aware": _("1. Do they know you?"),
    "bought": _("2. Have they bought, and how often?"),
    "again": _("3. Will they choose you the next time?"),
}


@get("/nine-cells")
async def show_map(
    session: WorkspaceSession,
    access: Access,
    segment_id: UUID | None = None,
    on: str = "",
    against: str = "",
) -> Template:
    """Show the map of a day, of everybody or of a segment, beside that of another day."""
    setup = await service.setup_of(session)
    if setup is None:
        return page("ninecells/start.html")
    errors: dict[str, Text] = {}
    days = {"on": on, "against": against}
    read: dict[str, Any] = {}
    for field, typed in days.items():
        try:
            read[field] = figures.read_day(typed, field, access.timezone)
        except Invalid as error:
            errors |= error.fields
    now_day = figures.today(access.timezone)
    day, other = read.get("on") or now_day, read.get("against")
    inner = await figures.among(session, segment_id)
    people = await figures.people_in(session, inner)
    market = setup.market if segment_id is None else None
    end = figures.day_end(day, access.timezone)
    shown = figures.shares(await figures.counts_at(session, end, inner), people, market)
    before = None
    if other is not None:
        counts = await figures.counts_at(session, figures.day_end(other, access.timezone), inner)
        before = figures.shares(counts, people, None)
    months = await figures.by_month(session, access.timezone) if segment_id is None else []
    return page(
        "ninecells/map.html",
        status=422 if errors else 200,
        setup=setup,
        cells=CELLS,
        map=shown,
        before=before,
        day=day,
        other=other,
        is_today=day == now_day,
        kept_at=known.at if (known := await kept(session)) and segment_id is None else None,
        typed=days,
        errors=errors,
        segment_id=str(segment_id or ""),
        segments=await road().pickers["segment"].options(session),
        builder_url=builder_url,
        shade=shade,
        months=months_chart(months) if any(any(c.values()) for _m, c in months) else None,
    )


def shade(share: float | None) -> int:
    """Return how dark a cell is drawn, 0 to 5."""
    if not share:
        return 0
    return next((n for n, most in enumerate((0.03, 0.08, 0.16, 0.3), 1) if share < most), 5)


@post("/nine-cells/survey")
async def take_survey(session: WorkspaceSession, access: Access) -> Redirect:
    """Make the ready survey, read the map from it, and go on to the survey's editor."""
    made = await service.take_ready(session)
    audit(session, access, "ninecells.survey", made.id)
    return to(made.url, _("The survey is made and joined to the map. Publish it to begin."))


@get("/nine-cells/settings", opt=OPERATOR)
async def show_settings(session: WorkspaceSession) -> Template:
    """Show how the map is read."""
    spec = service.spec_of(await service.setup_of(session))
    return await _settings(session, spec.model_dump(mode="json"), {})


@post("/nine-cells/settings")
async def save_settings(
    request: WebRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Store how the map is read; everybody is placed anew."""
    data = await form_data(request)
    try:
        await service.save(session, parse(SetupIn, _typed(data)))
    except Invalid as error:
        return await _settings(session, _drawable(data), error.fields, status=422)
    audit(session, access, "ninecells.setup")
    return to("/nine-cells", _("Saved. Everybody is being placed on the map."))


@post("/nine-cells/settings/draw", status_code=200)
async def draw_settings(request: WebRequest, session: WorkspaceSession) -> Template:
    """Draw the questions' answers anew when another question is chosen; saves nothing."""
    data = _drawable(await form_data(request))
    return page("ninecells/_questions.html", **await _drawing(session, data, {}))


@post("/nine-cells/refresh")
async def refresh(session: WorkspaceSession, access: Access) -> Redirect:
    """Have everybody placed anew now, and not only tonight."""
    setup = await service.setup_of(session)
    if setup is None:
        raise NotFound()
    await service.refresh_soon(session, setup)
    audit(session, access, "ninecells.refresh")
    return to("/nine-cells", _("Everybody is being placed on the map."))


@post("/nine-cells/cells/{key:str}/broadcast")
async def write_to(key: str, session: WorkspaceSession, access: Access) -> Redirect:
    """Begin a broadcast to those who stand in a cell; its segment is made if it is not there."""
    if key not in BY_NAME:
        raise NotFound()
    segment, is_new = await segment_of(session, BY_NAME[key])
    if is_new:
        audit(session, access, "segments.create", segment.id, name=segment.name)
    return to(f"/broadcasts/new?segment_id={segment.id}")


def _typed(data: dict[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in SetupIn.model_fields if name in data}


def _drawable(data: dict[str, Any]) -> dict[str, Any]:
    """Return what a form sent with all that drawing it needs."""
    found: dict[str, Any] = {**SetupIn().model_dump(mode="json"), **_typed(data)}
    for name in service.PARTS:
        part = _object(found[name])
        found[name] = {
            "question_id": str(part.get("question_id") or ""),
            "meanings": _object(part.get("meanings")),
        }
    return found


def _object(given: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", given) if isinstance(given, dict) else {}


async def _drawing(
    session: WorkspaceSession, data: dict[str, Any], errors: dict[str, Text]
) -> dict[str, Any]:
    return {
        "data": data,
        "errors": errors,
        "parts": PART_LABELS,
        "meanings": MEANINGS,
        "questions": await service.questions(session),
        "choices": await service.choices_by_question(session),
    }


async def _settings(
    session: WorkspaceSession,
    data: dict[str, Any],
    errors: dict[str, Text],
    status: int = 200,
) -> Template:
    return page(
        "ninecells/settings.html",
        status=status,
        is_set_up=await service.setup_of(session) is not None,
        **await _drawing(session, data, errors),
    )


HANDLERS = [
    show_map,
    take_survey,
    show_settings,
    save_settings,
    draw_settings,
    refresh,
    write_to,
]
