"""The builder: a segment's form, its changes of shape, and the panel that counts as one edits.

The whole tree is in the form. A change of shape posts it to `/segments/builder`, which
draws it again; every edit posts it to `/segments/panel`, which only counts. The browser's
part (`assets/segment-builder.js`) remembers earlier forms for undo, and marks the fields
that the panel objects to.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.response import Response

from hiiki.contacts.models import Contact
from hiiki.contacts.search import with_details
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid, NotFound
from hiiki.kit.forms import parse
from hiiki.kit.i18n import LOCALES, Text, _, current_locale
from hiiki.kit.pages import WebRequest, form_data, page, to
from hiiki.segments import changes, ready_made, service
from hiiki.segments.builder import ROOT, Node, form_of, in_form, node_at, rule_of, tidy
from hiiki.segments.edits import edit
from hiiki.segments.explain import sentence
from hiiki.segments.models import Segment, Version
from hiiki.segments.offers import KIND_LABELS, offers_for
from hiiki.segments.outlook import outlook
from hiiki.segments.prefill import rule_in
from hiiki.segments.rules import AnyRule, read_rule
from hiiki.segments.schemas import Named
from hiiki.segments.why import reasons_for
from hiiki.workspace.access import Access

OPERATOR = {"role": "operator"}


FRIENDS: dict[str, Any] = {
    "kind": "all",
    "rules": [{"kind": "friendship", "status": "following"}],
}
"""What a new segment begins with: whole as it stands, so that people are counted at once."""


@get("/segments/new", opt=OPERATOR)
async def show_new(
    session: WorkspaceSession,
    from_ready_made: str = "",
    rule: str = "",
    name: str = "",
    version: UUID | None = None,
) -> Response[Any]:
    """A new segment: empty, from one to begin with, from one that was deleted, or with the rule
    of another page's link."""
    if version is not None:
        return await _form(session, None, *_as_it_was(await session.one(Version, version)))
    given = rule_in(rule) if rule else None
    if given is not None:
        data = {"name": name[:100], "description": ""}
        return await _form(session, None, data, form_of(given))
    chosen = ready_made.find(from_ready_made)
    if chosen is None:
        return await _form(session, None, {"name": "", "description": ""}, _drawn(FRIENDS))
    ids = await ready_made.ids_for(session, [chosen])
    data = {"name": str(chosen.name), "description": str(chosen.about)}
    return await _form(session, None, data, _drawn(chosen.build(ids)))


@post("/segments")
async def create(request: WebRequest, session: WorkspaceSession, access: Access) -> Response[Any]:
    """Save a new segment."""
    return await _save(request, session, access, None)


@get("/segments/{segment_id:uuid}/edit", opt=OPERATOR)
async def show_edit(
    segment_id: UUID, session: WorkspaceSession, version: UUID | None = None
) -> Response[Any]:
    """A saved segment in the builder, as it is or as it was in an earlier version."""
    segment = await session.one(Segment, segment_id)
    was = segment if version is None else await session.one(Version, version)
    return await _form(session, segment, *_as_it_was(was))


def _as_it_was(kept: Segment | Version) -> tuple[dict[str, Any], Node]:
    return {"name": kept.name, "description": kept.description}, _drawn(kept.rule)


def _drawn(rule: dict[str, Any]) -> Node:
    """Return a rule as a tree to draw, even when it is not (any more) a whole one."""
    try:
        return form_of(read_rule(rule))
    except Invalid:
        return tidy(rule)


@post("/segments/{segment_id:uuid}")
async def update(
    segment_id: UUID, request: WebRequest, session: WorkspaceSession, access: Access
) -> Response[Any]:
    """Save a changed segment."""
    return await _save(request, session, access, await session.one(Segment, segment_id))


@post("/segments/builder", status_code=200)
async def redraw(request: WebRequest, session: WorkspaceSession) -> Response[Any]:
    """Change the tree's shape (`do`, `at`) and draw it again; saves nothing."""
    data = await form_data(request)
    tree = tidy(data.get(ROOT))
    do, at = str(data.get("do", "")), str(data.get("at", ""))
    to, place = str(data.get("to", "")), str(data.get("place", ""))
    focus = edit(tree, do, at, to, int(place) if place.isdigit() else 0) if do else ""
    offers = await offers_for(session, tree, str(data.get("segment_id", "")))
    answer = page("segments/_builder.html", tree=tree, offers=offers, focus=focus)
    answer.headers["HX-Trigger-After-Settle"] = json.dumps({"hiiki:rule": {"undo": do != "undo"}})
    return answer


@post("/segments/panel", status_code=200)
async def show_panel(request: WebRequest, session: WorkspaceSession) -> Response[Any]:
    """Count what the form says now, or say what is still wrong with it; saves nothing."""
    data = await form_data(request)
    tree = tidy(data.get(ROOT))
    raw, paths = rule_of(tree)
    segment_id = _uuid(data.get("segment_id"))
    try:
        rule = read_rule(raw)
        names = await service.check(session, rule, segment_id)
    except Invalid as error:
        errors = in_form(error.fields, paths)
        wrongs = [(path, _label(tree, path), said) for path, said in errors.items()]
        return page("segments/_panel.html", errors=errors, wrongs=wrongs, outlook=None)
    said = sentence(rule, names)
    return page(
        "segments/_panel.html",
        errors={},
        outlook=await outlook(session, rule, _uuid(data.get("channel_id"))),
        said=[(locale, said.to(locale)) for locale in _present_first()],
        sample=await with_details(session, await service.sample(session, rule)),
    )


def _present_first() -> list[str]:
    return sorted(LOCALES, key=lambda locale: locale != current_locale())


@post("/segments/why", status_code=200)
async def show_why(request: WebRequest, session: WorkspaceSession) -> Response[Any]:
    """Why one person is in it, or not, as the form is now; saves nothing."""
    data = await form_data(request)
    contact_id = _uuid(data.get("contact_id"))
    if contact_id is None:
        raise NotFound()
    await session.one(Contact, contact_id)
    rule = read_rule(rule_of(tidy(data.get(ROOT)))[0])
    names = await service.check(session, rule, _uuid(data.get("segment_id")))
    return page("segments/_why.html", reasons=await reasons_for(session, rule, names, contact_id))


async def _save(
    request: WebRequest, session: WorkspaceSession, access: Access, segment: Segment | None
) -> Response[Any]:
    data = await form_data(request)
    tree = tidy(data.get(ROOT))
    raw, paths = rule_of(tree)
    wrong: dict[str, Text] = {}
    named: Named | None = None
    rule: AnyRule | None = None
    try:
        named = parse(Named, {key: data.get(key, "") for key in ("name", "description")})
    except Invalid as error:
        wrong |= error.fields
    try:
        rule = read_rule(raw)
    except Invalid as error:
        wrong |= in_form(error.fields, paths)
    if data.get("as_new") and segment is not None:
        if named is not None and named.name == segment.name:
            named = Named(
                name=await service.free_name(session, named.name), description=named.description
            )
        segment = None
    if named is not None and rule is not None:
        try:
            saved = await changes.save(
                session, access, segment, name=named.name, description=named.description, rule=rule
            )
        except Invalid as error:
            below = {k: v for k, v in error.fields.items() if k != "name"}
            inner = {path.removeprefix(ROOT).strip("."): text for path, text in below.items()}
            wrong |= in_form(inner, paths) | {
                key: text for key, text in error.fields.items() if key == "name"
            }
        else:
            return to(f"/segments/{saved.id}", _("The segment has been saved."))
    typed = {key: str(data.get(key, "")) for key in ("name", "description")}
    return await _form(session, segment, typed, tree, wrong, status=422)


async def _form(
    session: WorkspaceSession,
    segment: Segment | None,
    data: dict[str, Any],
    tree: Node,
    errors: dict[str, Text] | None = None,
    status: int = 200,
) -> Response[Any]:
    ident = str(segment.id) if segment is not None else ""
    offers = await offers_for(session, tree, ident)
    usages = await service.usages_of(session, segment.id) if segment is not None else ()
    return page(
        "segments/edit.html",
        status=status,
        segment=segment,
        segment_id=ident,
        data=data,
        tree=tree,
        offers=offers,
        errors=errors or {},
        usages=usages,
        focus="",
        channels=offers.channels,
    )


def _label(tree: Node, path: str) -> Text | str:
    return KIND_LABELS.get(str(node_at(tree, path).get("kind")), "")


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


pages = [show_new, create, show_edit, update, redraw, show_panel, show_why]
