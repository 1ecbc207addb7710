"""`/api/v1/rules`, `/action-kinds` and `/event-kinds`, for programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import delete, get, post, put
from pydantic import BaseModel

from hiiki.actions import service
from hiiki.actions.models import Rule
from hiiki.actions.schemas import ActionKindOut, EventKindOut, RuleIn, RuleOut
from hiiki.db import WorkspaceSession
from hiiki.kit.road import road
from hiiki.workspace.access import Access, audit

RULES: dict[str, Any] = {"tags": ["rules"]}


class RuleList(BaseModel):
    """A page of rules, in the order in which they run."""

    items: list[RuleOut]
    next: str | None
    """Give it as `after` to get the next page."""


@get("/rules", operation_id="ListRules", **RULES)
async def list_rules(session: WorkspaceSession, q: str = "", after: str = "") -> RuleList:
    """Return the rules, 50 a page."""
    found = await service.list_rules(session, search=q, after=after or None)
    return RuleList(items=[service.rule_out(rule) for rule in found.rules], next=found.next)


@get("/rules/{rule_id:uuid}", operation_id="GetRule", **RULES)
async def get_rule(rule_id: UUID, session: WorkspaceSession) -> RuleOut:
    """Return one rule."""
    return service.rule_out(await session.one(Rule, rule_id))


@post("/rules", operation_id="CreateRule", **RULES)
async def create_rule(data: RuleIn, session: WorkspaceSession, access: Access) -> RuleOut:
    """Make a rule. It runs after all others that wait for the same."""
    rule = await service.create_rule(session, data)
    audit(session, access, "rules.create", rule.id, name=rule.name)
    return service.rule_out(rule)


@put("/rules/{rule_id:uuid}", operation_id="ChangeRule", **RULES)
async def change_rule(
    rule_id: UUID, data: RuleIn, session: WorkspaceSession, access: Access
) -> RuleOut:
    """Change a rule."""
    rule = await service.update_rule(session, rule_id, data)
    audit(session, access, "rules.update", rule.id, name=rule.name)
    return service.rule_out(rule)


@post("/rules/{rule_id:uuid}/duplicate", operation_id="DuplicateRule", **RULES)
async def duplicate_rule(rule_id: UUID, session: WorkspaceSession, access: Access) -> RuleOut:
    """Copy a rule; the copy is switched off."""
    copy = await service.duplicate_rule(session, rule_id)
    audit(session, access, "rules.duplicate", rule_id, copy=str(copy.id))
    return service.rule_out(copy)


@delete("/rules/{rule_id:uuid}", operation_id="DeleteRule", **RULES)
async def delete_rule(rule_id: UUID, session: WorkspaceSession, access: Access) -> None:
    """Delete a rule."""
    rule = await service.delete_rule(session, rule_id)
    audit(session, access, "rules.delete", rule_id, name=rule.name)


@get("/action-kinds", operation_id="ListActionKinds", **RULES)
async def list_action_kinds() -> list[ActionKindOut]:
    """Return what a rule, or an answer of a survey, can do."""
    return [
        ActionKindOut(name=kind.name, label=str(kind.label), params=kind.params.model_json_schema())
        for kind in road().actions.values()
    ]


@get("/event-kinds", operation_id="ListEventKinds", **RULES)
async def list_event_kinds() -> list[EventKindOut]:
    """Return what can happen to a contact, and which of it a rule can wait for."""
    return [
        EventKindOut(
            name=kind.name,
            label=str(kind.label),
            subject=kind.subject,
            starts_rules=kind.starts_rules,
        )
        for kind in road().events.values()
    ]


HANDLERS = [
    list_rules,
    get_rule,
    create_rule,
    change_rule,
    duplicate_rule,
    delete_rule,
    list_action_kinds,
    list_event_kinds,
]
