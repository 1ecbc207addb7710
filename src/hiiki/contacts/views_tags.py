"""Console pages: the shop's tags."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, get, post
from litestar.response import Redirect, Template

from hiiki.contacts import tags
from hiiki.contacts.models import Tag
from hiiki.contacts.schemas import COLOURS, TagIn
from hiiki.contacts.values import plain
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.pages import form_data, page, to
from hiiki.workspace.access import Access, audit

AnyRequest = Request[Any, Any, Any]

COLOUR_LABELS = {
    "blue": _("Blue"),
    "teal": _("Teal"),
    "green": _("Green"),
    "yellow": _("Yellow"),
    "orange": _("Orange"),
    "red": _("Red"),
    "pink": _("Pink"),
    "purple": _("Purple"),
    "grey": _("Grey"),
}


@get("/tags", name="tags")
async def tag_list(
    session: WorkspaceSession, q: str = "", after: str = "", before: str = ""
) -> Template:
    """List the tags by name, with how many friends have each."""
    q = plain(q)[:50]
    found = await tags.page_of_tags(session, q, plain(after), plain(before))

    def address(**cursor: str) -> str:
        return "/tags?" + urlencode({**({"q": q} if q else {}), **cursor})

    return page(
        "contacts/tags.html",
        tags=found.tags,
        counts_url="/tags/counts?" + urlencode({"q": q, "after": after, "before": before}),
        q=q,
        next_url=address(after=found.next) if found.next else "",
        previous_url=address(before=found.previous) if found.previous else "",
    )


@get("/tags/counts")
async def tag_counts(
    session: WorkspaceSession, q: str = "", after: str = "", before: str = ""
) -> Template:
    """Say how many have the tags of a page; asked for when the page is there already."""
    found = await tags.page_of_tags(session, plain(q)[:50], plain(after), plain(before))
    counted = await tags.counts(session, [tag.id for tag in found.tags])
    return page("contacts/_tag_counts.html", counts=counted)


@get("/tags/new", opt={"role": "operator"})
async def new_tag(name: str = "") -> Template:
    """Show an empty form for a tag."""
    return _form(None, {"name": plain(name)[:50], "colour": "blue", "description": ""}, {})


@post("/tags/new")
async def create_tag(
    request: AnyRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Make a tag."""
    data = await form_data(request)
    try:
        tag = await tags.create_tag(session, parse(TagIn, data))
    except Invalid as error:
        return _form(None, data, error.fields)
    audit(session, access, "tags.create", tag.id, name=tag.name)
    return to("/tags", _("The tag “%(name)s” is there now.", name=tag.name))


@get("/tags/{tag_id:uuid}")
async def show_tag(tag_id: UUID, session: WorkspaceSession) -> Template:
    """Show a tag, what uses it, and the form in which it is changed."""
    tag = await session.one(Tag, tag_id)
    return await _page_of(session, tag)


@post("/tags/{tag_id:uuid}")
async def change_tag(
    request: AnyRequest, tag_id: UUID, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Change a tag's name, colour, description."""
    tag = await session.one(Tag, tag_id)
    data = await form_data(request)
    try:
        await tags.update_tag(session, tag, parse(TagIn, data))
    except Invalid as error:
        return await _page_of(session, tag, data, error.fields)
    audit(session, access, "tags.update", tag_id, name=tag.name)
    return to("/tags", _("The tag “%(name)s” has been changed.", name=tag.name))


@post("/tags/{tag_id:uuid}/delete")
async def delete_tag(tag_id: UUID, session: WorkspaceSession, access: Access) -> Redirect:
    """Delete a tag; refused with the places while something uses it."""
    tag = await session.one(Tag, tag_id)
    await tags.delete_tag(session, tag)
    audit(session, access, "tags.delete", tag_id, name=tag.name)
    return to("/tags", _("The tag “%(name)s” has been deleted.", name=tag.name))


async def _page_of(
    session: WorkspaceSession,
    tag: Tag,
    typed: dict[str, Any] | None = None,
    errors: dict[str, Text] | None = None,
) -> Template:
    values = {"name": tag.name, "colour": tag.colour, "description": tag.description}
    return _form(
        tag,
        values | (typed or {}),
        errors or {},
        friends=(await tags.counts(session, [tag.id]))[tag.id],
        usages=await tags.usages_of_tag(session, tag),
    )


def _form(
    tag: Tag | None, values: dict[str, Any], errors: dict[str, Text], **more: Any
) -> Template:
    return page(
        "contacts/tag.html",
        status=422 if errors else 200,
        tag=tag,
        values={"name": "", "colour": "blue", "description": ""} | values,
        errors=errors,
        colours=[(colour, COLOUR_LABELS[colour]) for colour in COLOURS],
        **{"friends": 0, "usages": [], **more},
    )


HANDLERS = [tag_list, tag_counts, new_tag, create_tag, show_tag, change_tag, delete_tag]
