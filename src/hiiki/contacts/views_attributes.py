"""Console pages: the shop's own fields on its friends (友だち情報)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, get, post
from litestar.response import Redirect, Template

from hiiki.contacts import attributes
from hiiki.contacts.attributes import KIND_LABELS
from hiiki.contacts.models import Attribute
from hiiki.contacts.schemas import AttributeEdit, AttributeIn
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.pages import form_data, page, to
from hiiki.workspace.access import Access, audit

AnyRequest = Request[Any, Any, Any]

KIND_HINTS = {
    "text": _("Anything in words, such as an allergy or what they do for a living"),
    "number": _("Something to be counted or compared, such as the size of the family"),
    "date": _("A day, such as the wedding day or the last visit"),
    "choice": _("Exactly one of what you list, such as the heat they like"),
    "choices": _("Any number of what you list, such as their interests"),
}


@get("/attributes", name="attributes")
async def attribute_list(session: WorkspaceSession) -> Template:
    """List the shop's own fields, with for how many friends each is known."""
    return page(
        "contacts/attributes.html",
        attributes=await attributes.all_attributes(session),
        counts=await attributes.counts(session),
        kinds=KIND_LABELS,
    )


@get("/attributes/new", opt={"role": "operator"})
async def new_attribute() -> Template:
    """Show an empty form for a field."""
    return _form(None, {}, {})


@post("/attributes/new")
async def create_attribute(
    request: AnyRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Make a field."""
    data = await form_data(request)
    try:
        made = await attributes.create_attribute(session, parse(AttributeIn, data))
    except Invalid as error:
        return _form(None, data, error.fields)
    audit(session, access, "attributes.create", made.id, key=made.key)
    return to("/attributes", _("The attribute “%(name)s” is there now.", name=made.label))


@get("/attributes/{attribute_id:uuid}")
async def show_attribute(attribute_id: UUID, session: WorkspaceSession) -> Template:
    """Show a field, what uses it, and the form in which it is changed."""
    return await _page_of(session, await session.one(Attribute, attribute_id))


@post("/attributes/{attribute_id:uuid}")
async def change_attribute(
    request: AnyRequest, attribute_id: UUID, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Change a field's label and choices."""
    attribute = await session.one(Attribute, attribute_id)
    data = await form_data(request)
    try:
        await attributes.update_attribute(session, attribute, parse(AttributeEdit, data))
    except Invalid as error:
        return await _page_of(session, attribute, data, error.fields)
    audit(session, access, "attributes.update", attribute_id, key=attribute.key)
    return to("/attributes", _("The attribute “%(name)s” has been changed.", name=attribute.label))


@post("/attributes/{attribute_id:uuid}/move")
async def move_attribute(
    request: AnyRequest, attribute_id: UUID, session: WorkspaceSession, access: Access
) -> Redirect:
    """Move a field one place up or down."""
    await session.one(Attribute, attribute_id)
    ids = [each.id for each in await attributes.all_attributes(session)]
    at = ids.index(attribute_id)
    to_place = at + (-1 if (await form_data(request)).get("way") == "up" else 1)
    if 0 <= to_place < len(ids):
        ids[at], ids[to_place] = ids[to_place], ids[at]
        await attributes.reorder(session, ids)
        audit(session, access, "attributes.reorder")
    return to("/attributes")


@post("/attributes/{attribute_id:uuid}/delete")
async def delete_attribute(
    attribute_id: UUID, session: WorkspaceSession, access: Access
) -> Redirect:
    """Delete a field with everybody's values; refused while something uses it."""
    attribute = await session.one(Attribute, attribute_id)
    await attributes.delete_attribute(session, attribute)
    audit(session, access, "attributes.delete", attribute_id, key=attribute.key)
    return to("/attributes", _("The attribute “%(name)s” has been deleted.", name=attribute.label))


async def _page_of(
    session: WorkspaceSession,
    attribute: Attribute,
    typed: dict[str, Any] | None = None,
    errors: dict[str, Text] | None = None,
) -> Template:
    values = {
        "key": attribute.key,
        "label": attribute.label,
        "choices": attribute.choices,
        "unit": attribute.unit,
        "initial": attribute.initial,
        **(typed or {}),
        "kind": attribute.kind,
    }
    return _form(
        attribute,
        values,
        errors or {},
        friends=(await attributes.counts(session)).get(attribute.id, 0),
        usages=await attributes.usages_of_attribute(session, attribute),
    )


def _form(
    attribute: Attribute | None, values: dict[str, Any], errors: dict[str, Text], **more: Any
) -> Template:
    # An error at one choice is shown below the list: which one it is, its words say.
    for path in [path for path in errors if path.startswith("choices.")]:
        errors.setdefault("choices", errors[path])
    return page(
        "contacts/attribute.html",
        status=422 if errors else 200,
        attribute=attribute,
        values={
            "key": "",
            "label": "",
            "kind": "text",
            "choices": [],
            "unit": "",
            "initial": "",
        }
        | values,
        errors=errors,
        kinds=[(kind, label, KIND_HINTS[kind]) for kind, label in KIND_LABELS.items()],
        **{"friends": 0, "usages": [], **more},
    )


HANDLERS = [
    attribute_list,
    new_attribute,
    create_attribute,
    show_attribute,
    change_attribute,
    move_attribute,
    delete_attribute,
]
