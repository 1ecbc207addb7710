"""`/api/v1/tags` and `/api/v1/attributes`, for programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import delete, get, post, put
from litestar.response import Stream
from pydantic import BaseModel, Field

from hiiki.contacts import attributes, kinds, tags
from hiiki.contacts.api import tag_out
from hiiki.contacts.api_bulk import BulkOut
from hiiki.contacts.models import Attribute, Tag
from hiiki.contacts.schemas import (
    AttributeEdit,
    AttributeIn,
    AttributeOut,
    KindIn,
    TagIn,
    TagOut,
    TagWithCount,
)
from hiiki.contacts.values import plain
from hiiki.contacts.views_kinds import lost_csv
from hiiki.db import WorkspaceSession
from hiiki.workspace.access import Access, audit

TAGS: dict[str, Any] = {"tags": ["tags"]}
ATTRIBUTES: dict[str, Any] = {"tags": ["attributes"]}


class Order(BaseModel):
    """Attributes in the order in which the console shows them."""

    ids: list[UUID] = Field(max_length=attributes.ATTRIBUTES_LIMIT)


class LostValue(BaseModel):
    """A value that cannot be read as another kind."""

    value: str
    people: int


class KindOutlook(BaseModel):
    """What would become of a field's values if it were of another kind."""

    people: int
    """For how many something is known."""
    lost: int
    """For how many of them it could not be kept; give it as `lose` to have it done all the same."""
    examples: list[LostValue]
    """The most frequent of what could not be kept."""
    hindered_by: list[str]
    """What needs the field as it is: while there is something, the kind cannot be changed."""


def _attribute_out(attribute: Attribute) -> AttributeOut:
    return AttributeOut.model_validate(attribute, from_attributes=True)


@get("/tags", operation_id="ListTags", **TAGS)
async def list_tags(session: WorkspaceSession, q: str = "") -> list[TagWithCount]:
    """Return the tags by name, each with how many friends have it."""
    found = await tags.all_tags(session, plain(q))
    counted = await tags.counts(session, [tag.id for tag in found])
    return [TagWithCount(**dict(tag_out(tag)), friends=counted[tag.id]) for tag in found]


@get("/tags/{tag_id:uuid}", operation_id="GetTag", **TAGS)
async def get_tag(tag_id: UUID, session: WorkspaceSession) -> TagWithCount:
    """Return one tag and how many friends have it."""
    tag = await session.one(Tag, tag_id)
    counted = await tags.counts(session, [tag.id])
    return TagWithCount(**dict(tag_out(tag)), friends=counted[tag.id])


@post("/tags", operation_id="CreateTag", **TAGS)
async def create_tag(data: TagIn, session: WorkspaceSession, access: Access) -> TagOut:
    """Make a tag. Names are unique."""
    tag = await tags.create_tag(session, data)
    audit(session, access, "tags.create", tag.id, name=tag.name)
    return tag_out(tag)


@put("/tags/{tag_id:uuid}", operation_id="ChangeTag", **TAGS)
async def change_tag(
    tag_id: UUID, data: TagIn, session: WorkspaceSession, access: Access
) -> TagOut:
    """Change a tag's name, colour and description."""
    tag = await session.one(Tag, tag_id)
    await tags.update_tag(session, tag, data)
    audit(session, access, "tags.update", tag.id, name=tag.name)
    return tag_out(tag)


@delete("/tags/{tag_id:uuid}", operation_id="DeleteTag", **TAGS)
async def delete_tag(tag_id: UUID, session: WorkspaceSession, access: Access) -> None:
    """Delete a tag and take it off everybody; refused while something uses it."""
    tag = await session.one(Tag, tag_id)
    await tags.delete_tag(session, tag)
    audit(session, access, "tags.delete", tag_id, name=tag.name)


@get("/attributes", operation_id="ListAttributes", **ATTRIBUTES)
async def list_attributes(session: WorkspaceSession) -> list[AttributeOut]:
    """Return the shop's own fields, in its order."""
    return [_attribute_out(each) for each in await attributes.all_attributes(session)]


@get("/attributes/{attribute_id:uuid}", operation_id="GetAttribute", **ATTRIBUTES)
async def get_attribute(attribute_id: UUID, session: WorkspaceSession) -> AttributeOut:
    """Return one of the shop's own fields."""
    return _attribute_out(await session.one(Attribute, attribute_id))


@post("/attributes", operation_id="CreateAttribute", **ATTRIBUTES)
async def create_attribute(
    data: AttributeIn, session: WorkspaceSession, access: Access
) -> AttributeOut:
    """Make a field. Its key stays as it is."""
    attribute = await attributes.create_attribute(session, data)
    audit(session, access, "attributes.create", attribute.id, key=attribute.key)
    return _attribute_out(attribute)


@put("/attributes/{attribute_id:uuid}", operation_id="ChangeAttribute", **ATTRIBUTES)
async def change_attribute(
    attribute_id: UUID, data: AttributeEdit, session: WorkspaceSession, access: Access
) -> AttributeOut:
    """Change a field's label and choices; see `clear_removed`."""
    attribute = await session.one(Attribute, attribute_id)
    await attributes.update_attribute(session, attribute, data)
    audit(session, access, "attributes.update", attribute_id, key=attribute.key)
    return _attribute_out(attribute)


@put("/attributes/order", operation_id="OrderAttributes", **ATTRIBUTES)
async def order_attributes(
    data: Order, session: WorkspaceSession, access: Access
) -> list[AttributeOut]:
    """Put the fields into an order; those not named follow."""
    await attributes.reorder(session, data.ids)
    audit(session, access, "attributes.reorder")
    return [_attribute_out(each) for each in await attributes.all_attributes(session)]


@post(
    "/attributes/{attribute_id:uuid}/kind/check",
    status_code=200,
    operation_id="CheckAttributeKind",
    **ATTRIBUTES,
)
async def check_kind(attribute_id: UUID, data: KindIn, session: WorkspaceSession) -> KindOutlook:
    """Return what would become of the values if a field were of another kind."""
    attribute = await session.one(Attribute, attribute_id)
    found = await kinds.outlook(session, attribute, data)
    used = await kinds.in_the_way(session, attribute, data)
    return KindOutlook(
        people=found.people,
        lost=found.lost,
        examples=[LostValue(value=value, people=people) for value, people in found.examples],
        hindered_by=[usage.label for usage in used],
    )


@post(
    "/attributes/{attribute_id:uuid}/kind/lost",
    status_code=200,
    operation_id="ListLostValues",
    **ATTRIBUTES,
)
async def lost_values(attribute_id: UUID, data: KindIn, session: WorkspaceSession) -> Stream:
    """Return all values that a change of kind would lose, as CSV: contact, name, value."""
    await session.one(Attribute, attribute_id)
    return lost_csv(session.workspace_id, attribute_id, data)


@post(
    "/attributes/{attribute_id:uuid}/kind",
    status_code=202,
    operation_id="ChangeAttributeKind",
    **ATTRIBUTES,
)
async def change_kind(
    attribute_id: UUID, data: KindIn, session: WorkspaceSession, access: Access
) -> BulkOut:
    """Have a field's kind changed, and its values with it; refused while something needs it.

    `GET /friends/bulk/{edit_id}` says how far it is. It cannot be taken back.
    """
    attribute = await session.one(Attribute, attribute_id)
    edit = await kinds.start(session, access, attribute, data)
    return BulkOut.model_validate(edit, from_attributes=True)


@delete("/attributes/{attribute_id:uuid}", operation_id="DeleteAttribute", **ATTRIBUTES)
async def delete_attribute(attribute_id: UUID, session: WorkspaceSession, access: Access) -> None:
    """Delete a field with everybody's values; refused while something uses it."""
    attribute = await session.one(Attribute, attribute_id)
    await attributes.delete_attribute(session, attribute)
    audit(session, access, "attributes.delete", attribute_id, key=attribute.key)


HANDLERS = [
    list_tags,
    get_tag,
    create_tag,
    change_tag,
    delete_tag,
    list_attributes,
    get_attribute,
    create_attribute,
    change_attribute,
    order_attributes,
    check_kind,
    lost_values,
    change_kind,
    delete_attribute,
]
