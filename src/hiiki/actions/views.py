"""Console pages: the rules, and the editor of actions that other pages use too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, get, post
from litestar.response import Redirect, Response, Template

from hiiki.actions import service
from hiiki.actions.editor import change, drawable, open_editor
from hiiki.actions.models import Rule
from hiiki.actions.schemas import RuleIn
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import nested, parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.pages import form_data, page, to
from hiiki.kit.road import road
from hiiki.segments.models import Segment
from hiiki.workspace.access import Access, audit

AnyRequest = Request[Any, Any, Any]


@get("/rules", name="rules")
async def rule_list(session: WorkspaceSession, q: str = "", after: str = "") -> Template:
    """List the rules in the order in which they run."""
    found = await service.list_rules(session, search=q, after=after or None)
    lines = [await _line(session, rule) for rule in found.rules]
    more = urlencode({"q": q, "after": found.next}) if found.next else ""
    return page(
        "actions/rules.html",
        lines=lines,
        failures=await service.failures(session, found.rules),
        q=q,
        before="/rules" if after else "",
        after=f"/rules?{more}" if more else "",
    )


@get("/rules/new", opt={"role": "operator"})
async def new_rule(session: WorkspaceSession, event: str = "follow") -> Template:
    """Show an empty form; `event` is chosen already."""
    data: dict[str, Any] = {"name": "", "event_kind": event}
    return await _form(session, None, data, {})


@post("/rules/new")
async def create_rule(
    request: AnyRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Make a rule."""
    data = await _given(request)
    try:
        rule = await service.create_rule(session, parse(RuleIn, data))
    except Invalid as error:
        return await _form(session, None, data, error.fields)
    audit(session, access, "rules.create", rule.id, name=rule.name)
    return to("/rules", _("The rule “%(name)s” is there now.", name=rule.name))


@get("/rules/{rule_id:uuid}")
async def show_rule(rule_id: UUID, session: WorkspaceSession) -> Template:
    """Show a rule in the form in which it is changed."""
    rule = await session.one(Rule, rule_id)
    data = service.rule_out(rule).model_dump(mode="json")
    return await _form(session, rule, data, {})


@post("/rules/{rule_id:uuid}")
async def change_rule(
    request: AnyRequest, rule_id: UUID, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Change a rule."""
    rule = await session.one(Rule, rule_id)
    data = await _given(request)
    try:
        await service.update_rule(session, rule_id, parse(RuleIn, data))
    except Invalid as error:
        return await _form(session, rule, data, error.fields)
    audit(session, access, "rules.update", rule_id, name=rule.name)
    return to("/rules", _("Saved."))


@post("/rules/{rule_id:uuid}/switch")
async def switch_rule(
    request: AnyRequest, rule_id: UUID, session: WorkspaceSession, access: Access
) -> Response[Any]:
    """Switch a rule on or off, in its place in the list."""
    data = await form_data(request)
    is_on = data.get("is_on") == "true"
    rule = await service.switch_rule(session, rule_id, is_on=is_on)
    audit(session, access, "rules.switch_on" if is_on else "rules.switch_off", rule_id)
    return page("actions/_switch.html", rule=rule)


@post("/rules/{rule_id:uuid}/duplicate")
async def duplicate_rule(rule_id: UUID, session: WorkspaceSession, access: Access) -> Redirect:
    """Copy a rule; the copy is off."""
    copy = await service.duplicate_rule(session, rule_id)
    audit(session, access, "rules.duplicate", rule_id, copy=str(copy.id))
    return to(f"/rules/{copy.id}", _("Here is the copy. It is switched off."))


@post("/rules/{rule_id:uuid}/delete")
async def delete_rule(rule_id: UUID, session: WorkspaceSession, access: Access) -> Redirect:
    """Delete a rule."""
    rule = await service.delete_rule(session, rule_id)
    audit(session, access, "rules.delete", rule_id, name=rule.name)
    return to("/rules", _("The rule “%(name)s” has been deleted.", name=rule.name))


@get("/rules/subject", opt={"role": "operator"})
async def rule_subject(session: WorkspaceSession, event_kind: str = "") -> Template:
    """Draw what a rule's event may be about."""
    return page(
        "actions/_subject.html",
        subject=await _subject(session, event_kind),
        value="",
        errors={},
    )


@post("/actions/editor", status_code=200)
async def redraw_editor(
    request: AnyRequest,
    session: WorkspaceSession,
    name: str,
    do: str,
    at: int = 0,
    kind: str = "",
) -> Template:
    """Draw an editor of actions anew, after one of its buttons."""
    form = await request.form()
    start = f"{name}."
    own = [(n.removeprefix(start), v) for n, v in form.multi_items() if n.startswith(start)]
    return page(
        "actions/_editor.html",
        name=name,
        actions=change(drawable(nested(own)), do, at, kind),
        errors={},
        editor=await open_editor(session),
    )


async def _given(request: AnyRequest) -> dict[str, Any]:
    data = await form_data(request)
    return {name: value for name, value in data.items() if not name.startswith("_")}


async def _form(
    session: WorkspaceSession,
    rule: Rule | None,
    data: Mapping[str, Any],
    errors: Mapping[str, Text],
) -> Template:
    kinds = [(kind.name, str(kind.label)) for kind in service.starters()]
    return page(
        "actions/rule.html",
        status=422 if errors else 200,
        rule=rule,
        data={
            "name": data.get("name", ""),
            "event_kind": data.get("event_kind", ""),
            "event_subject": data.get("event_subject", ""),
            "segment_id": data.get("segment_id") or "",
            "topic_id": data.get("topic_id") or "",
            "is_on": data.get("is_on", "true") in (True, "true"),
            "actions": drawable(data.get("actions")),
        },
        errors=errors,
        kinds=kinds,
        subject=await _subject(session, str(data.get("event_kind", ""))),
        segments=await service.options_of(session, "segment"),
        topics=await service.options_of(session, "topic"),
        editor=await open_editor(session),
    )


async def _subject(session: WorkspaceSession, event_kind: str) -> dict[str, Any] | None:
    kind = road().events.get(event_kind)
    picker = road().pickers.get(kind.subject) if kind and kind.subject else None
    if picker is None:
        return None
    return {"label": picker.label, "options": await picker.options(session)}


async def _line(session: WorkspaceSession, rule: Rule) -> dict[str, Any]:
    """What the list says of a rule."""
    kind = road().events.get(rule.event_kind)
    about = ""
    if kind is not None and rule.event_subject:
        options = await service.options_of(session, kind.subject)
        about = next((o.label for o in options if o.value == rule.event_subject), "–")
    segment = None
    if rule.segment_id is not None:
        segment = await session.get(Segment, rule.segment_id)
    return {
        "rule": rule,
        "kind": kind,
        "about": about,
        "segment": segment,
        "actions": [road().actions.get(str(action.get("kind"))) for action in rule.actions],
    }


HANDLERS = [
    rule_list,
    new_rule,
    create_rule,
    rule_subject,
    show_rule,
    change_rule,
    switch_rule,
    duplicate_rule,
    delete_rule,
    redraw_editor,
]
