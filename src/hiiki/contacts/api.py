"""`/api/v1/friends`: people, for programs."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import delete, get, patch, post, put
from litestar.params import Parameter

from hiiki.contacts import attributes, erasure, fields, listing, notes, people, search
from hiiki.contacts.merging import contact_of
from hiiki.contacts.models import Attribute, Contact, Note, Tag
from hiiki.contacts.schemas import (
    BulkTagIn,
    ContactPatch,
    Count,
    FriendDetail,
    FriendOut,
    FriendshipOut,
    FriendsOut,
    NoteIn,
    NoteOut,
    TagOut,
    ValueIn,
)
from hiiki.contacts.search import Friend, FriendFilter
from hiiki.contacts.service import add_tag_to, remove_tag_from
from hiiki.contacts.values import jsonable
from hiiki.db import WorkspaceSession
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import _
from hiiki.workspace.access import Access, audit


def plain_value(value: Any) -> Any:
    """Return a field's value as JSON takes it."""
    return value if isinstance(value, bool | int | float) else jsonable(value)


Standing = Literal["following", "blocked"]
GROUP: dict[str, Any] = {"tags": ["friends"]}


def tag_out(tag: Tag) -> TagOut:
    """Return a tag as the API gives it."""
    return TagOut(id=tag.id, name=tag.name, colour=tag.colour, description=tag.description)


def _friend_out(friend: Friend) -> FriendOut:
    contact = friend.contact
    return FriendOut(
        **_columns(contact),
        friendships=[
            FriendshipOut.model_validate(each, from_attributes=True) for each in friend.friendships
        ],
        tags=[tag_out(tag) for tag in friend.tags],
    )


def _columns(contact: Contact) -> dict[str, Any]:
    names = FriendOut.model_fields.keys() - {"friendships", "tags"}
    return {name: getattr(contact, name) for name in names}


async def _detail(session: WorkspaceSession, contact: Contact) -> FriendDetail:
    [friend] = await search.with_details(session, [contact])
    values = await attributes.values_of(session, contact.id)
    known = (await fields.values(session, [contact.id], fields.all_fields()))[contact.id]
    return FriendDetail(
        **dict(_friend_out(friend)),
        fields={name: plain_value(value) for name, value in known.items()},
        attributes={
            each.key: jsonable(values.get(each.id))
            for each in await attributes.all_attributes(session)
        },
    )


def _filter(
    q: str,
    status: Standing | None,
    tag: UUID | None,
    channel: UUID | None,
    segment: UUID | None,
) -> FriendFilter:
    asked = {"q": q, "status": status, "tag": tag, "channel": channel, "segment": segment}
    return parse(FriendFilter, asked)


@get("/friends", operation_id="ListFriends", **GROUP)
async def list_friends(
    session: WorkspaceSession,
    q: str = "",
    status: Standing | None = None,
    tag: UUID | None = None,
    channel: UUID | None = None,
    segment: UUID | None = None,
    sort: str = "",
    after: str | None = None,
    limit: Annotated[int, Parameter(ge=1, le=200)] = search.PAGE,
) -> FriendsOut:
    """Return friends, the newest first; `q` looks into names, e-mail and phone.

    `sort` is `seen`, `first` or the name of a room's field; then those of whom it is not known
    are left out.
    """
    order = next((each for each in listing.orders() if each.key == sort), None)
    if order is None:
        raise Invalid(fields={"sort": _("The list cannot be sorted by this.")})
    wanted = _filter(q, status, tag, channel, segment)
    page = await listing.ordered(session, wanted, order, after, limit=limit)
    return FriendsOut(items=[_friend_out(each) for each in page.friends], next=page.next)


@get("/friends/count", operation_id="CountFriends", **GROUP)
async def count_friends(
    session: WorkspaceSession,
    q: str = "",
    status: Standing | None = None,
    tag: UUID | None = None,
    channel: UUID | None = None,
    segment: UUID | None = None,
) -> Count:
    """Return how many friends there are of this description."""
    return Count(count=await search.count(session, _filter(q, status, tag, channel, segment)))


@post("/friends/tags", status_code=200, operation_id="TagFriends", **GROUP)
async def tag_friends(
    data: BulkTagIn,
    session: WorkspaceSession,
    access: Access,
    q: str = "",
    status: Standing | None = None,
    tag: UUID | None = None,
    channel: UUID | None = None,
    segment: UUID | None = None,
) -> Count:
    """Add a tag to many friends, or remove it; returns for how many that was a change."""
    await session.one(Tag, data.tag_id)
    wanted = _filter(q, status, tag, channel, segment)
    who = (
        await search.matching(session, wanted)
        if data.contact_ids is None
        else people.chosen(data.contact_ids)
    )
    change = add_tag_to if data.verb == "add" else remove_tag_from
    number = await change(session, who, data.tag_id)
    audit(session, access, f"contacts.tag_{data.verb}_many", data.tag_id, count=number)
    return Count(count=number)


@get("/friends/{contact_id:uuid}", operation_id="GetFriend", **GROUP)
async def get_friend(contact_id: UUID, session: WorkspaceSession) -> FriendDetail:
    """Return one friend with all that is known."""
    return await _detail(session, await contact_of(session, contact_id))


@patch("/friends/{contact_id:uuid}", operation_id="ChangeFriend", **GROUP)
async def change_friend(
    contact_id: UUID, data: ContactPatch, session: WorkspaceSession, access: Access
) -> FriendDetail:
    """Change what the shop knows of a friend; fields that are left out stay."""
    contact = await contact_of(session, contact_id)
    contact_id = contact.id
    if changed := people.change(contact, data):
        audit(session, access, "contacts.update", contact_id, fields=changed)
    return await _detail(session, contact)


@put("/friends/{contact_id:uuid}/tags/{tag_id:uuid}", operation_id="AddFriendTag", **GROUP)
async def put_tag(
    contact_id: UUID, tag_id: UUID, session: WorkspaceSession, access: Access
) -> FriendDetail:
    """Tag a friend; one who has the tag keeps it."""
    contact = await contact_of(session, contact_id)
    contact_id = contact.id
    await session.one(Tag, tag_id)
    await people.put_tag(session, access, contact_id, tag_id)
    return await _detail(session, contact)


@delete("/friends/{contact_id:uuid}/tags/{tag_id:uuid}", operation_id="RemoveFriendTag", **GROUP)
async def delete_tag(
    contact_id: UUID, tag_id: UUID, session: WorkspaceSession, access: Access
) -> None:
    """Take a tag off a friend."""
    contact_id = (await contact_of(session, contact_id)).id
    await session.one(Tag, tag_id)
    await people.take_tag(session, access, contact_id, tag_id)


@put(
    "/friends/{contact_id:uuid}/attributes/{attribute_id:uuid}",
    operation_id="SetFriendAttribute",
    **GROUP,
)
async def put_attribute(
    contact_id: UUID, attribute_id: UUID, data: ValueIn, session: WorkspaceSession, access: Access
) -> FriendDetail:
    """Set one of the shop's own fields on a friend; null clears it."""
    contact = await contact_of(session, contact_id)
    contact_id = contact.id
    attribute = await session.one(Attribute, attribute_id)
    await people.put_value(session, access, contact_id, attribute, data.value)
    return await _detail(session, contact)


@get("/friends/{contact_id:uuid}/notes", operation_id="ListFriendNotes", **GROUP)
async def list_notes(contact_id: UUID, session: WorkspaceSession) -> list[NoteOut]:
    """Return what staff wrote about a friend, the latest first."""
    contact_id = (await contact_of(session, contact_id)).id
    return [_note_out(note) for note in await notes.notes_of(session, contact_id)]


@post("/friends/{contact_id:uuid}/notes", operation_id="AddFriendNote", **GROUP)
async def add_note(
    contact_id: UUID, data: NoteIn, session: WorkspaceSession, access: Access
) -> NoteOut:
    """Write a note about a friend."""
    contact_id = (await contact_of(session, contact_id)).id
    note = await notes.add_note(session, access, contact_id, data.body)
    audit(session, access, "contacts.note_add", contact_id, note_id=str(note.id))
    return _note_out(note)


@patch("/friends/{contact_id:uuid}/notes/{note_id:uuid}", operation_id="ChangeFriendNote", **GROUP)
async def change_note(
    contact_id: UUID, note_id: UUID, data: NoteIn, session: WorkspaceSession, access: Access
) -> NoteOut:
    """Change a note that one has written oneself."""
    contact_id = (await contact_of(session, contact_id)).id
    note = await notes.note_of(session, contact_id, note_id)
    notes.edit_note(access, note, data.body)
    audit(session, access, "contacts.note_update", contact_id, note_id=str(note_id))
    return _note_out(note)


@delete("/friends/{contact_id:uuid}/notes/{note_id:uuid}", operation_id="DeleteFriendNote", **GROUP)
async def delete_note(
    contact_id: UUID, note_id: UUID, session: WorkspaceSession, access: Access
) -> None:
    """Delete a note that one has written oneself; an owner deletes any."""
    contact_id = (await contact_of(session, contact_id)).id
    note = await notes.note_of(session, contact_id, note_id)
    await notes.delete_note(session, access, note)
    audit(session, access, "contacts.note_delete", contact_id, note_id=str(note_id))


@get(
    "/friends/{contact_id:uuid}/export",
    opt={"role": "operator"},
    operation_id="ExportFriend",
    **GROUP,
)
async def export_friend(
    contact_id: UUID, session: WorkspaceSession, access: Access
) -> dict[str, Any]:
    """Return all that is kept of a friend, to be handed to them."""
    contact = await contact_of(session, contact_id)
    contact_id = contact.id
    audit(session, access, "contacts.export", contact_id)
    return await erasure.export(session, contact)


@delete("/friends/{contact_id:uuid}", operation_id="EraseFriend", **GROUP)
async def erase_friend(contact_id: UUID, session: WorkspaceSession, access: Access) -> None:
    """Delete a friend with everything that is kept of them. It cannot be taken back."""
    contact = await contact_of(session, contact_id)
    contact_id = contact.id
    await erasure.erase(session, contact)
    audit(session, access, "contacts.erase", contact_id)


def _note_out(note: Note) -> NoteOut:
    return NoteOut.model_validate(note, from_attributes=True)


HANDLERS = [
    list_friends,
    count_friends,
    tag_friends,
    get_friend,
    change_friend,
    put_tag,
    delete_tag,
    put_attribute,
    list_notes,
    add_note,
    change_note,
    delete_note,
    export_friend,
    erase_friend,
]
