"""Console pages: one friend, whose parts change in place."""

from __future__ import annotations

import json
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, get, post
from litestar.response import Redirect, Response, Template
from pydantic import BaseModel, BeforeValidator, Field
from sqlalchemy import select

from hiiki.contacts import attributes, doubles, erasure, people, search
from hiiki.contacts.fields import all_fields, worded
from hiiki.contacts.fields import values as fields_of
from hiiki.contacts.merging import contact_of
from hiiki.contacts.models import Attribute, Contact, ContactTag, Tag
from hiiki.contacts.prefectures import PREFECTURES, prefecture_name
from hiiki.contacts.schemas import ContactPatch, Line, TagIn
from hiiki.contacts.tags import all_tags, create_tag
from hiiki.contacts.values import Parsed, Value, language_name, parse_value, shown
from hiiki.contacts.views_notes import notes_context
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.pages import form_data, page, to
from hiiki.kit.road import road
from hiiki.workspace.access import Access, audit
from hiiki.workspace.models import Channel

AnyRequest = Request[Any, Any, Any]


@get("/friends/{contact_id:uuid}", name="friend")
async def friend(
    contact_id: UUID, session: WorkspaceSession, access: Access
) -> Template | Redirect:
    """Show a friend with all that is known; the timeline comes after."""
    contact = await contact_of(session, contact_id)
    if contact.id != contact_id:  # an old link: they have become a part of somebody else
        return Redirect(f"/friends/{contact.id}", status_code=301)
    [found] = await search.with_details(session, [contact])
    channels = {channel.id: channel for channel in await session.scalars(select(Channel))}
    return page(
        "contacts/friend.html",
        contact=contact,
        friend=found,
        channels=channels,
        statuses=people.STATUS_LABELS,
        parts=road().friend_parts,
        **await _tags_context(session, contact_id),
        **await notes_context(session, access, contact_id),
        **await _attributes_context(session, contact_id),
        worked_out=await _worked_out(session, contact_id),
        doubles=await doubles.of_contact(session, contact_id),
        prefecture_name=prefecture_name,
        language_name=language_name,
    )


async def _worked_out(session: WorkspaceSession, contact_id: UUID) -> list[tuple[Any, Any]]:
    """Return what rooms have worked out about a person, as pairs of field and value."""
    known = (await fields_of(session, [contact_id], all_fields()))[contact_id]
    return [
        (field, worded(field, known[field.name]))
        for field in all_fields()
        if known[field.name] is not None
    ]


# ---- the person's fields ----


@get("/friends/{contact_id:uuid}/fields")
async def fields(contact_id: UUID, session: WorkspaceSession, edit: bool = False) -> Template:
    """Show the fields, or the form in which they are changed."""
    contact = await session.one(Contact, contact_id)
    return _fields_form(contact, {}, {}) if edit else _fields(contact, focus=True)


@post("/friends/{contact_id:uuid}/fields", status_code=200)
async def save_fields(
    request: AnyRequest, contact_id: UUID, session: WorkspaceSession, access: Access
) -> Template:
    """Change the fields; refused ones stay in the form with the reason."""
    contact = await session.one(Contact, contact_id)
    data = await form_data(request)
    try:
        patch = parse(ContactPatch, data)
    except Invalid as error:
        return _fields_form(contact, data, error.fields)
    if changed := people.change(contact, patch):
        audit(session, access, "contacts.update", contact_id, fields=changed)
    return _fields(contact, focus=True)


def _fields(contact: Contact, *, focus: bool) -> Template:
    return page(
        "contacts/_fields.html",
        contact=contact,
        prefecture_name=prefecture_name,
        language_name=language_name,
        focus=focus,
    )


def _fields_form(contact: Contact, typed: dict[str, Any], errors: dict[str, Text]) -> Template:
    names = ("real_name", "email", "phone", "prefecture", "birthday", "is_purchaser")
    values = {name: getattr(contact, name) for name in names} | typed
    values["is_purchaser"] = values["is_purchaser"] in (True, "true")
    return page(
        "contacts/_fields_form.html",
        status=422 if errors else 200,
        contact=contact,
        values=values,
        errors=errors,
        prefectures=[(each, prefecture_name(each)) for each in PREFECTURES],
    )


# ---- the shop's own fields ----


async def _attributes_context(session: WorkspaceSession, contact_id: UUID) -> dict[str, Any]:
    found = await attributes.all_attributes(session)
    return {
        "attributes": found,
        "pairs": {each.id: [(choice, choice) for choice in each.choices] for each in found},
        "values": await attributes.values_of(session, contact_id),
        "shown": shown,
    }


@get("/friends/{contact_id:uuid}/attributes")
async def attribute_values(
    contact_id: UUID, session: WorkspaceSession, edit: bool = False
) -> Template:
    """Show the values of the shop's own fields, or the form in which they are changed."""
    contact = await session.one(Contact, contact_id)
    context = await _attributes_context(session, contact_id)
    if edit:
        typed = {
            each.id: context["values"].get(each.id) or _initial(each)
            for each in context["attributes"]
        }
        return page(
            "contacts/_attributes_form.html", contact=contact, typed=typed, errors={}, **context
        )
    return page("contacts/_attributes.html", contact=contact, focus=True, **context)


def _initial(attribute: Attribute) -> Parsed | None:
    """Return what the form begins with where nothing is known; a choice may have gone since."""
    try:
        return parse_value(attribute, attribute.initial)
    except Invalid:
        return None


@post("/friends/{contact_id:uuid}/attributes", status_code=200)
async def save_attributes(
    request: AnyRequest, contact_id: UUID, session: WorkspaceSession, access: Access
) -> Template:
    """Set the shop's own fields; when one is refused, none is changed."""
    contact = await session.one(Contact, contact_id)
    data = await form_data(request)
    given: dict[str, Value] = data.get("values") or {}
    errors: dict[str, Text] = {}
    context = await _attributes_context(session, contact_id)
    each: Attribute
    for each in context["attributes"]:
        if str(each.id) not in given:
            continue
        try:
            await people.put_value(session, access, contact_id, each, given[str(each.id)])
        except Invalid as error:
            errors[f"values.{each.id}"] = error.fields["value"]
    if errors:
        typed = {each.id: given.get(str(each.id)) for each in context["attributes"]}
        return page(
            "contacts/_attributes_form.html",
            status=422,
            contact=contact,
            typed=typed,
            errors=errors,
            **context,
        )
    context = await _attributes_context(session, contact_id)
    return page("contacts/_attributes.html", contact=contact, focus=True, **context)


# ---- tags ----


class TagForm(BaseModel):
    """A tag by its name; `create` makes it when there is none yet."""

    name: Annotated[Line, Field(min_length=1, max_length=50)]
    create: Annotated[bool, BeforeValidator(lambda value: value == "yes")] = False


async def _tags_context(session: WorkspaceSession, contact_id: UUID) -> dict[str, Any]:
    mine = await session.scalars(
        select(Tag)
        .join(ContactTag, ContactTag.tag_id == Tag.id)
        .where(ContactTag.contact_id == contact_id)
        .order_by(Tag.name)
    )
    return {"tags": list(mine), "known_tags": await all_tags(session)}


async def _tags(
    session: WorkspaceSession,
    contact: Contact,
    *,
    typed: str = "",
    offer: str = "",
    error: Text | None = None,
) -> Template:
    return page(
        "contacts/_tags.html",
        status=422 if error else 200,
        contact=contact,
        typed=typed,
        offer=offer,
        errors={"name": error} if error else {},
        focus=True,
        **await _tags_context(session, contact.id),
    )


@post("/friends/{contact_id:uuid}/tags", status_code=200)
async def tag(
    request: AnyRequest, contact_id: UUID, session: WorkspaceSession, access: Access
) -> Template:
    """Add a tag by its name; one that does not exist yet is offered to be made."""
    contact = await session.one(Contact, contact_id)
    data = await form_data(request)
    try:
        form = parse(TagForm, data)
    except Invalid as error:
        typed = str(data.get("name", ""))
        return await _tags(session, contact, typed=typed, error=error.fields.get("name"))
    found = await session.scalar(select(Tag).where(Tag.name == form.name))
    if found is None:
        if not form.create:
            return await _tags(session, contact, typed=form.name, offer=form.name)
        found = await create_tag(session, TagIn(name=form.name))
        audit(session, access, "tags.create", found.id, name=found.name)
    await people.put_tag(session, access, contact_id, found.id)
    return await _tags(session, contact)


@post("/friends/{contact_id:uuid}/tags/{tag_id:uuid}/remove", status_code=200)
async def untag(
    contact_id: UUID, tag_id: UUID, session: WorkspaceSession, access: Access
) -> Template:
    """Take a tag off."""
    contact = await session.one(Contact, contact_id)
    await session.one(Tag, tag_id)
    await people.take_tag(session, access, contact_id, tag_id)
    return await _tags(session, contact)


# ---- leaving ----


@get("/friends/{contact_id:uuid}/export.json", opt={"role": "operator"})
async def export_json(
    contact_id: UUID, session: WorkspaceSession, access: Access
) -> Response[bytes]:
    """Give all that is kept of a person as a file, to be handed to them."""
    contact = await session.one(Contact, contact_id)
    found = await erasure.export(session, contact)
    audit(session, access, "contacts.export", contact_id)
    return Response(
        json.dumps(found, ensure_ascii=False, indent=2).encode(),
        media_type="application/json",
        headers={
            "content-disposition": f'attachment; filename="friend-{contact_id}.json"',
            "cache-control": "no-store",
        },
    )


def word_to_type(contact: Contact) -> str:
    """Return what one types to confirm an erasure: the name, or the id's first part."""
    name = " ".join((contact.real_name or contact.display_name).split())
    return name or str(contact.id)[:8]


@get("/friends/{contact_id:uuid}/erase", opt={"role": "operator"})
async def ask_erase(contact_id: UUID, session: WorkspaceSession) -> Template:
    """Say what erasing means, and ask for the name to be typed."""
    contact = await session.one(Contact, contact_id)
    return page("contacts/erase.html", contact=contact, word=word_to_type(contact), errors={})


@post("/friends/{contact_id:uuid}/erase")
async def erase(
    request: AnyRequest, contact_id: UUID, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Delete a person with everything that is kept of them, if the name was typed."""
    contact = await session.one(Contact, contact_id)
    word = word_to_type(contact)
    typed = str((await form_data(request)).get("word", ""))
    if " ".join(typed.split()).casefold() != word.casefold():
        said = _("Please type “%(word)s” to confirm.", word=word)
        return page(
            "contacts/erase.html", status=422, contact=contact, word=word, errors={"word": said}
        )
    await erasure.erase(session, contact)
    audit(session, access, "contacts.erase", contact_id)
    return to("/friends", _("Everything about this person has been deleted."))


HANDLERS = [
    friend,
    fields,
    save_fields,
    attribute_values,
    save_attributes,
    tag,
    untag,
    export_json,
    ask_erase,
    erase,
]
