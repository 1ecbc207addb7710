"""Console pages: the matrix, who is in a cell, who moved, and how ranks are formed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from litestar import get, post
from litestar.response import Redirect, Template

from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.pages import WebRequest, form_data, page, to
from hiiki.rfm import jobs, service
from hiiki.rfm.areas import AREAS, BY_KEY, RANKS, area_of, name_of
from hiiki.rfm.models import Scheme
from hiiki.rfm.pages import (
    flow_chart,
    month_words,
    read_cursor,
    read_group,
    save_scheme,
    segment_of,
    title_of,
    write_cursor,
)
from hiiki.rfm.ranking import own_bounds, scheme_of
from hiiki.rfm.schemas import NAME_LIMIT, SchemeIn
from hiiki.rfm.service import Group
from hiiki.segments.prefill import new_segment_url
from hiiki.workspace.access import Access, audit

OPERATOR = {"role": "operator"}


@get("/rfm")
async def show_matrix(session: WorkspaceSession) -> Template:
    """Show where all customers stand (requirement B5)."""
    scheme = await scheme_of(session)
    found = service.matrix(scheme)
    one, few, many = service.by_orders(scheme)
    never = Group(never=True)
    groups = [
        (_("Registered, never bought"), found.never, "user", never.rule(scheme)),
        (_("Bought once"), one, "number-1", service.bought("exactly", 1, scheme.days)),
        (
            _("2 to 4 orders"),
            few,
            "repeat",
            {
                "kind": "all",
                "rules": [
                    service.bought("at_least", 2, scheme.days),
                    service.bought("at_most", 4, scheme.days),
                ],
            },
        ),
        (_("5 orders and more"), many, "heart", service.bought("at_least", 5, scheme.days)),
    ]
    return page(
        "rfm/matrix.html",
        scheme=scheme,
        matrix=found,
        under_way=jobs.is_under_way(scheme),
        groups=[
            (label, count, icon, new_segment_url(rule or {}, str(label)))
            for label, count, icon, rule in groups
        ],
        areas=AREAS,
        area_of=area_of,
        name_of=_namer(scheme),
        bounds=scheme.bounds,
        ranks=RANKS,
    )


@post("/rfm/refresh")
async def refresh(session: WorkspaceSession, access: Access) -> Redirect:
    """Have the ranks formed now."""
    if await jobs.ask(session):
        audit(session, access, "rfm.refresh")
    return to("/rfm", _("The ranks are being formed anew. This takes a minute at most."))


@get("/rfm/people")
async def show_people(
    session: WorkspaceSession,
    area: str = "",
    recency: str = "",
    frequency: str = "",
    moved_from: str | None = None,
    moved_to: str | None = None,
    after: str = "",
) -> Template:
    """Show who is in a cell or an area, or who moved between two areas."""
    scheme = await scheme_of(session)
    group = read_group(
        {
            "area": area,
            "recency": recency,
            "frequency": frequency,
            "moved_from": moved_from,
            "moved_to": moved_to,
        }
    )
    rows = await service.people(session, group, read_cursor(after), service.PAGE + 1)
    more = len(rows) > service.PAGE
    rows = rows[: service.PAGE]
    rule = group.rule(scheme)
    title = title_of(group, scheme.names)
    query = urlencode(group.query())
    return page(
        "rfm/people.html",
        title=title,
        about=BY_KEY[group.area].about if group.area else "",
        rows=rows,
        total=await service.count(session, group),
        group=group.query(),
        segment_url=new_segment_url(rule, f"RFM: {title}") if rule else "",
        before=f"/rfm/people?{query}" if after else "",
        after=f"/rfm/people?{query}&after={write_cursor(rows[-1])}" if more else "",
    )


@post("/rfm/broadcast")
async def write_to_them(request: WebRequest, session: WorkspaceSession, access: Access) -> Redirect:
    """Lead into a new broadcast to a cell or an area, by way of its segment."""
    segment, is_new = await segment_of(session, read_group(await form_data(request)))
    if is_new:
        audit(session, access, "segments.create", segment.id, name=segment.name)
    return to(f"/broadcasts/new?segment_id={segment.id}")


@get("/rfm/movement")
async def show_movement(session: WorkspaceSession, month: date | None = None) -> Template:
    """Show who went from where to where in a month."""
    scheme = await scheme_of(session)
    months = await service.months(session)
    chosen = month if month in months else next(iter(months), None)
    moves: Sequence[service.Move] = await service.moves(session, chosen) if chosen else ()
    moved = [move for move in moves if move.came_from != move.went_to]
    return page(
        "rfm/movement.html",
        scheme=scheme,
        months=months,
        month=chosen,
        month_options=[(one.isoformat(), month_words(one)) for one in months],
        is_latest=bool(months) and chosen == months[0],
        moves=sorted(moved, key=lambda move: -move.people),
        stayed=sum(move.people for move in moves) - sum(move.people for move in moved),
        name_of=_namer(scheme),
        option=flow_chart(moves, scheme.names) if moves else None,
        chart_rows=[
            (
                name_of(move.came_from, scheme.names),
                name_of(move.went_to, scheme.names),
                move.people,
            )
            for move in moves
        ],
    )


@get("/rfm/scheme", opt=OPERATOR)
async def edit_scheme(session: WorkspaceSession) -> Template:
    """Show how ranks are formed, with what that makes of today's customers."""
    scheme = await scheme_of(session)
    own = own_bounds(scheme).dump()
    data: dict[str, Any] = {
        "method": scheme.method,
        "days": scheme.days or "",
        "counts": scheme.counts,
        "names": scheme.names,
        **{name: [_plain(one) for one in values] for name, values in own.items()},
    }
    return await _form(session, scheme, data, {})


@post("/rfm/scheme")
async def save(
    request: WebRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Change how ranks are formed."""
    data = await form_data(request)
    try:
        given = parse(SchemeIn, data)
    except Invalid as error:
        return await _form(session, await scheme_of(session), data, error.fields)
    await save_scheme(session, given)
    audit(session, access, "rfm.update")
    return to("/rfm", _("Saved. The ranks follow within a minute."))


@post("/rfm/scheme/preview", status_code=200)
async def show_preview(request: WebRequest, session: WorkspaceSession) -> Template:
    """Show what the form would make of today's customers; changes nothing."""
    try:
        given = parse(SchemeIn, await form_data(request))
    except Invalid:
        return page("rfm/_preview.html", preview=None, ranks=RANKS, bounds={})
    return await _preview(session, await scheme_of(session), given)


async def _preview(session: WorkspaceSession, scheme: Scheme, given: SchemeIn) -> Template:
    found = await service.preview(session, scheme, given.method, given.window, given.bounds)
    return page("rfm/_preview.html", preview=found, ranks=RANKS, bounds=found.bounds.dump())


async def _form(
    session: WorkspaceSession, scheme: Scheme, data: dict[str, Any], errors: Mapping[str, Text]
) -> Template:
    preview, shown = None, dict[str, Any]()
    if not errors:
        given = parse(SchemeIn, data)
        preview = await service.preview(session, scheme, given.method, given.window, given.bounds)
        shown = preview.bounds.dump()
    for name in ("recency", "frequency", "monetary"):
        data[name] = [*data.get(name, []), "", "", "", ""][:4]
    given_names = data.get("names")
    data["names"] = given_names if isinstance(given_names, dict) else {}
    return page(
        "rfm/scheme.html",
        status=422 if errors else 200,
        data={"method": "fifths", "days": "", "counts": "ever", **data},
        errors=_at_inputs(errors),
        areas=AREAS,
        ranks=RANKS,
        name_limit=NAME_LIMIT,
        preview=preview,
        bounds=shown,
    )


def _at_inputs(errors: Mapping[str, Text]) -> dict[str, Text]:
    """Move what is wrong with a whole list to its first input."""
    lists = ("recency", "frequency", "monetary")
    return {f"{path}.0" if path in lists else path: said for path, said in errors.items()}


def _namer(scheme: Scheme) -> Callable[[str], Text | str]:
    def name(key: str) -> Text | str:
        return name_of(key, scheme.names)

    return name


def _plain(value: Any) -> Any:
    return int(value) if value is not None and value == int(value) else value


HANDLERS = [
    show_matrix,
    refresh,
    show_people,
    write_to_them,
    show_movement,
    edit_scheme,
    save,
    show_preview,
]
