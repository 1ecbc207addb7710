"""What this room adds to the road."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select

from hiiki.contacts import (
    api,
    api_bulk,
    api_fields,
    api_people,
    importing,
    jobs,
    keywords,
    profiles,
    views,
    views_attributes,
    views_bulk,
    views_doubles,
    views_friend,
    views_kinds,
    views_notes,
    views_tags,
    views_words,
)
from hiiki.contacts.models import Attribute, Tag
from hiiki.contacts.service import (
    add_tag_with,
    remove_tag,
    set_attribute_with,
    tags_ahead,
    value_ahead,
)
from hiiki.contacts.values import parse_value, shown
from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import _
from hiiki.kit.road import ActionContext, ActionKind, EventKind, NavItem, Option, Picker, Room


class TagParams(BaseModel):
    """Which tag to add or to remove."""

    tag_id: UUID = Field(title="Tag", json_schema_extra={"picker": "tag"})


class AttributeParams(BaseModel):
    """Which of the shop's own fields to set, and to what."""

    attribute_id: UUID = Field(title="Attribute", json_schema_extra={"picker": "attribute"})
    value: str = Field(default="", title="Value", max_length=5000)
    """As a person would type it; empty clears the field. Several choices: with commas."""


async def _tag_add(context: ActionContext, params: TagParams) -> None:
    has = await tags_ahead(context.session, context.contact_id)
    if params.tag_id not in has:
        has.add(params.tag_id)
        add_tag_with(context.session, context.contact_id, params.tag_id)
        await context.emit("tag_set", subject=params.tag_id)


async def _tag_remove(context: ActionContext, params: TagParams) -> None:
    has = await tags_ahead(context.session, context.contact_id)
    if await remove_tag(context.session, context.contact_id, params.tag_id):
        has.discard(params.tag_id)
        await context.emit("tag_removed", subject=params.tag_id)


async def _attribute_set(context: ActionContext, params: AttributeParams) -> None:
    # What cannot be set any more (a choice that was taken away) is recorded by the runner.
    attribute = await context.session.known(Attribute, params.attribute_id)
    parsed = parse_value(attribute, params.value)
    has = await value_ahead(context.session, context.contact_id, attribute.id)
    if parsed == has[0]:
        return
    about = {"text": shown(parsed), "was": shown(has[0])}
    has[0] = parsed
    await set_attribute_with(context.session, context.contact_id, attribute, params.value)
    await context.emit("attribute_set", subject=attribute.id, data=about)


async def _tags(session: WorkspaceSession) -> list[Option]:
    rows = await session.execute(select(Tag.id, Tag.name).order_by(Tag.name))
    return [Option(str(ident), name) for ident, name in rows]


async def _attributes(session: WorkspaceSession) -> list[Option]:
    rows = await session.execute(
        select(Attribute.id, Attribute.label).order_by(Attribute.position, Attribute.label)
    )
    return [Option(str(ident), label) for ident, label in rows]


room = Room(
    name="contacts",
    imports=[importing.members],
    pages=[
        *views.HANDLERS,
        *views_friend.HANDLERS,
        *views_doubles.HANDLERS,
        *views_bulk.HANDLERS,
        *views_notes.HANDLERS,
        *views_words.HANDLERS,
        *views_tags.HANDLERS,
        *views_attributes.HANDLERS,
        *views_kinds.HANDLERS,
    ],
    api=[*api.HANDLERS, *api_fields.HANDLERS, *api_people.HANDLERS, *api_bulk.HANDLERS],
    nav=[
        NavItem("friends", _("Friends"), "users", "/friends", 10),
        NavItem("friends", _("Notes"), "note", "/notes", 15),
        NavItem("friends", _("Tags"), "tags", "/tags", 20),
        NavItem("friends", _("Attributes"), "forms", "/attributes", 30),
    ],
    tasks=jobs.tasks,
    uses=keywords.usages,
    loops={"profiles": profiles.run},
    events=[
        EventKind("tag_set", _("Got a tag"), "tag", "tag"),
        EventKind("tag_removed", _("Lost a tag"), "tag-off", "tag"),
        EventKind("attribute_set", _("An attribute was set"), "forms", "attribute"),
        EventKind("merged", _("Joined with a double"), "users-group", starts_rules=False),
    ],
    actions=[
        ActionKind("tag_add", _("Add a tag"), "tag", TagParams, _tag_add),
        ActionKind("tag_remove", _("Remove a tag"), "tag-off", TagParams, _tag_remove),
        ActionKind(
            "attribute_set", _("Set an attribute"), "forms", AttributeParams, _attribute_set
        ),
    ],
    pickers=[
        Picker("tag", _("Tag"), _tags),
        Picker("attribute", _("Attribute"), _attributes),
    ],
)
