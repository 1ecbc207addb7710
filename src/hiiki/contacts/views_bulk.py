"""Console pages: a change of many people, from asking to taking it back."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, get, post
from litestar.response import Redirect, Template
from pydantic import BaseModel, BeforeValidator, Field
from sqlalchemy import select

from hiiki.contacts import bulk
from hiiki.contacts.attributes import KIND_LABELS, all_attributes
from hiiki.contacts.bulk import Change, Forecast
from hiiki.contacts.kinds import wish_of
from hiiki.contacts.models import Attribute, BulkEdit, Tag
from hiiki.contacts.search import FriendFilter
from hiiki.contacts.tags import all_tags
from hiiki.contacts.values import parse_value
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.pages import form_data, page, to
from hiiki.kit.road import road
from hiiki.workspace.access import Access

AnyRequest = Request[Any, Any, Any]

VERBS = {
    "tag_add": _("Add a tag"),
    "tag_remove": _("Remove a tag"),
    "set": _("Set an attribute"),
    "clear": _("Clear an attribute"),
}
"""What staff choose from."""
WORDS = {**VERBS, "convert": _("Change an attribute's kind")}
STATES = {
    "waiting": _("about to begin"),
    "running": _("under way"),
    "done": _("done"),
    "undoing": _("being taken back"),
    "undone": _("taken back"),
    "failed": _("stopped"),
}
Verb = Literal["tag_add", "tag_remove", "set", "clear"]


def _or_none(value: Any) -> Any:
    return value or None


class BulkForm(BaseModel):
    """What is to change, and for whom. What is not chosen yet is empty."""

    verb: Verb = "tag_add"
    tag_id: Annotated[UUID | None, BeforeValidator(_or_none)] = None
    attribute_id: Annotated[UUID | None, BeforeValidator(_or_none)] = None
    value: Annotated[str | list[str], Field(max_length=5000)] = ""
    scope: Literal["selected", "all"] = "selected"
    ids: list[UUID] = Field(default_factory=list[UUID], max_length=1000)
    filter: FriendFilter = Field(default_factory=FriendFilter)

    @property
    def typed(self) -> str:
        """The value as one text: several choices stand one a line."""
        return self.value if isinstance(self.value, str) else "\n".join(self.value)

    @property
    def who(self) -> FriendFilter | list[UUID]:
        """Whom it is for."""
        return self.filter if self.scope == "all" else self.ids


async def read_change(session: WorkspaceSession, form: BulkForm) -> Change:
    """Return the change that is asked for; raises `Invalid` at what is missing or wrong."""
    if form.verb in ("tag_add", "tag_remove"):
        if form.tag_id is None:
            raise Invalid(fields={"tag_id": _("Please choose a tag first.")})
        return Change(form.verb, tag=await session.one(Tag, form.tag_id))
    if form.attribute_id is None:
        raise Invalid(fields={"attribute_id": _("Please choose an attribute first.")})
    attribute = await session.one(Attribute, form.attribute_id)
    if form.verb == "clear":
        return Change("clear", attribute=attribute)
    if parse_value(attribute, form.typed) is None:
        raise Invalid(fields={"value": _("Please enter a value.")})
    return Change("set", attribute=attribute, value=form.typed)


async def _read(request: AnyRequest) -> BulkForm:
    form = parse(BulkForm, await form_data(request))
    if form.scope == "selected" and not form.ids:
        raise Invalid(_("Please select friends first."))
    return form


async def _draw(
    session: WorkspaceSession,
    form: BulkForm,
    forecast: Forecast | None,
    errors: dict[str, Text],
    *,
    is_refused: bool = False,
) -> Template:
    attributes = await all_attributes(session)
    segment = form.filter.segment
    return page(
        "contacts/bulk.html",
        status=422 if is_refused else 200,
        form=form,
        forecast=forecast,
        errors=errors,
        verbs=list(VERBS.items()),
        tags=[(str(each.id), each.name) for each in await all_tags(session)],
        attributes=[(str(each.id), each.label) for each in attributes],
        attribute=next((each for each in attributes if each.id == form.attribute_id), None),
        segment=await segment_name(session, segment) if segment else "",
        back="/friends?" + urlencode(form.filter.query()),
    )


async def segment_name(session: WorkspaceSession, segment_id: UUID) -> str:
    """Return what a segment is called, by its picker; "" for one that is not there."""
    picker = road().pickers.get("segment")
    options = await picker.options(session) if picker else ()
    return next((each.label for each in options if each.value == str(segment_id)), "")


@post("/friends/bulk/check", status_code=200)
async def check_bulk(request: AnyRequest, session: WorkspaceSession) -> Template:
    """Ask what is to change, and show for how many that is a change."""
    form = await _read(request)
    typed = await form_data(request)
    errors: dict[str, Text] = {}
    forecast: Forecast | None = None
    try:
        forecast = await bulk.forecast(session, await read_change(session, form), form.who)
    except Invalid as error:
        # What has not been asked for yet is not missing.
        errors = {path: said for path, said in error.fields.items() if typed.get(path)}
    return await _draw(session, form, forecast, errors)


@post("/friends/bulk")
async def start_bulk(
    request: AnyRequest, session: WorkspaceSession, access: Access
) -> Redirect | Template:
    """Have the change done."""
    form = await _read(request)
    try:
        change = await read_change(session, form)
    except Invalid as error:
        return await _draw(session, form, None, error.fields, is_refused=True)
    edit = await bulk.start(session, access, change, form.who)
    return to(f"/friends/bulk/{edit.id}")


@get("/friends/bulk")
async def bulk_list(session: WorkspaceSession) -> Template:
    """List the latest changes of many, with what can still be taken back."""
    edits = await bulk.recent(session)
    return page(
        "contacts/bulk_list.html",
        edits=[(each, await _words(session, each), bulk.may_take_back(each)) for each in edits],
        states=STATES,
    )


@get("/friends/bulk/{edit_id:uuid}")
async def show_bulk(edit_id: UUID, session: WorkspaceSession, part: bool = False) -> Template:
    """Show how far a change is, and what can be done about it; as a part while it goes on."""
    edit = await session.one(BulkEdit, edit_id)
    return page(
        "contacts/_bulk_progress.html" if part else "contacts/bulk_edit.html",
        edit=edit,
        words=await _words(session, edit),
        states=STATES,
        may_take_back=bulk.may_take_back(edit),
    )


@post("/friends/bulk/{edit_id:uuid}/undo")
async def undo_bulk(edit_id: UUID, session: WorkspaceSession, access: Access) -> Redirect:
    """Take a change back where nobody has changed it since."""
    edit = await session.one(BulkEdit, edit_id)
    await bulk.take_back(session, access, edit)
    return to(f"/friends/bulk/{edit_id}")


async def _words(session: WorkspaceSession, edit: BulkEdit) -> str:
    """Return what a change is, in a line."""
    name = await session.scalar(
        select(Tag.name).where(Tag.id == edit.tag_id)
        if edit.tag_id
        else select(Attribute.label).where(Attribute.id == edit.attribute_id)
    )
    what = f"{WORDS[edit.verb]}: {cast('str', name)}"
    if edit.verb == "convert":
        return f"{what} → {KIND_LABELS[wish_of(edit).kind]}"
    return f"{what} = {edit.value.replace(chr(10), '、')}" if edit.verb == "set" else what


HANDLERS = [check_bulk, start_bulk, bulk_list, show_bulk, undo_bulk]
