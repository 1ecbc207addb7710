"""What this room adds to the road."""

from __future__ import annotations

from uuid import UUID

import structlog
from pydantic import BaseModel, Field
from sqlalchemy import select

from hiiki.contacts.models import Attribute, Tag
from hiiki.contacts.service import add_tag, remove_tag, set_attribute
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.i18n import _
from hiiki.kit.road import ActionContext, ActionKind, Option, Picker, Room

log = structlog.get_logger()


class TagParams(BaseModel):
    """Which tag to add or to remove."""

    tag_id: UUID = Field(title="Tag", json_schema_extra={"picker": "tag"})


class AttributeParams(BaseModel):
    """Which of the shop's own fields to set, and to what."""

    attribute_id: UUID = Field(title="Attribute", json_schema_extra={"picker": "attribute"})
    value: str = Field(default="", title="Value", max_length=5000)
    """As a person would type it; empty clears the field. Several choices: with commas."""


async def _tag_add(context: ActionContext, params: TagParams) -> None:
    await add_tag(context.session, context.contact_id, params.tag_id)


async def _tag_remove(context: ActionContext, params: TagParams) -> None:
    await remove_tag(context.session, context.contact_id, params.tag_id)


async def _attribute_set(context: ActionContext, params: AttributeParams) -> None:
    attribute = await context.session.get(Attribute, params.attribute_id)
    if attribute is None:
        log.warning("attribute_set.no_attribute", attribute_id=str(params.attribute_id))
        return
    try:
        await set_attribute(context.session, context.contact_id, attribute, params.value)
    except Invalid as error:
        # A choice may have been taken away since the action was written. What a person
        # did must still go on the timeline, so this one action is passed over.
        log.warning("attribute_set.invalid", attribute_id=str(attribute.id), error=str(error))


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
