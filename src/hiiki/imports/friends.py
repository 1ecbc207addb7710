"""Friends as a file: those of a filter, or of a segment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from hiiki.contacts.attributes import all_attributes
from hiiki.contacts.identities import among
from hiiki.contacts.models import Contact, ContactAttribute, Identity
from hiiki.contacts.people import STATUS_LABELS
from hiiki.contacts.search import Friend, FriendFilter, matching, with_details
from hiiki.contacts.values import stored
from hiiki.db import WorkspaceSession, scope
from hiiki.kit.exportable import Exportable, ExportColumn, Rows
from hiiki.kit.forms import parse
from hiiki.kit.i18n import Text, _
from hiiki.kit.road import road

SIZE = 2000
_ID_BYTES = 16

_PROFILE: Mapping[str, Text] = {
    "id": _("ID"),
    "display_name": _("LINE name"),
    "real_name": _("Real name"),
    "standing": _("Standing"),
    "tags": _("Tags"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "prefecture": _("Prefecture"),
    "birthday": _("Birthday"),
    "is_purchaser": _("Has bought"),
    "followed_at": _("Friend since"),
    "last_seen_at": _("Last seen"),
}
_KEYS: Mapping[str, Text] = {
    "customer": _("Customer number"),
    "line_user_id": _("LINE user ID"),
}


async def columns(session: WorkspaceSession) -> Sequence[ExportColumn]:
    """Return what a file of friends may say: profile, keys, own fields, what rooms work out."""
    return [
        *(ExportColumn(name, label, _("Profile")) for name, label in _PROFILE.items()),
        *(ExportColumn(name, label, _("Numbers"), usual=False) for name, label in _KEYS.items()),
        *(
            ExportColumn(f"attribute:{one.id}", one.label, _("Attributes"))
            for one in await all_attributes(session)
        ),
        *(
            ExportColumn(f"field:{one.name}", one.label, _("Worked out"), usual=False)
            for one in road().fields.values()
        ),
    ]


async def rows(workspace_id: UUID, wanted: Mapping[str, Any], names: Sequence[str]) -> Rows:
    """Return the lines of the friends that are wanted now (`Exportable.rows`)."""
    ids = await _who(workspace_id, wanted)
    return len(ids) // _ID_BYTES, _slices(workspace_id, ids, names)


async def _who(workspace_id: UUID, wanted: Mapping[str, Any]) -> bytes:
    """Return the ids of who is wanted, asked once: 16 bytes each, as a segment is dear to ask."""
    found = bytearray()
    async with scope(workspace_id) as session:
        query = await matching(session, parse(FriendFilter, dict(wanted)))
        stream = await session.stream_scalars(query.execution_options(yield_per=SIZE))
        async for part in stream.partitions(SIZE):
            found += b"".join(ident.bytes for ident in part)
    return bytes(found)


async def _slices(
    workspace_id: UUID, ids: bytes, names: Sequence[str]
) -> AsyncIterator[Sequence[Sequence[Any]]]:
    step = SIZE * _ID_BYTES
    for at in range(0, len(ids), step):
        part = ids[at : at + step]
        people = [UUID(bytes=part[n : n + 16]) for n in range(0, len(part), _ID_BYTES)]
        async with scope(workspace_id) as session:
            yield await _lines(session, people, names)


async def _lines(
    session: WorkspaceSession, people: Sequence[UUID], names: Sequence[str]
) -> list[list[Any]]:
    contacts = await session.scalars(select(Contact).where(among(Contact.id, people)))
    friends = await with_details(session, list(contacts))
    values: dict[str, dict[UUID, Any]] = {}
    if any(name.startswith("attribute:") for name in names):
        for row in await session.scalars(
            select(ContactAttribute).where(among(ContactAttribute.contact_id, people))
        ):
            values.setdefault(f"attribute:{row.attribute_id}", {})[row.contact_id] = stored(row)
    if "customer" in names:
        keys = select(Identity.contact_id, Identity.key).where(
            among(Identity.contact_id, people), Identity.kind == "customer"
        )
        values["customer"] = {row[0]: row[1] for row in await session.execute(keys)}
    for name in names:
        field = road().fields.get(name.removeprefix("field:"))
        if name.startswith("field:") and field is not None:
            owner = field.column.class_.contact_id
            asked = await session.execute(select(owner, field.column).where(among(owner, people)))
            words = dict(field.choices)
            values[name] = {
                row[0]: str(words[row[1]]) if row[1] in words else row[1] for row in asked
            }
    return [[_cell(friend, name, values) for name in names] for friend in friends]


def _cell(friend: Friend, name: str, values: Mapping[str, Mapping[UUID, Any]]) -> Any:
    match name:
        case "standing":
            return str(STATUS_LABELS[friend.status])
        case "tags":
            return [tag.name for tag in friend.tags]
        case "followed_at":
            return friend.followed_at
        case "last_seen_at":
            return friend.last_seen_at
        case "line_user_id":
            return next((each.line_user_id for each in friend.friendships), None)
        case _ if name in _PROFILE:
            return getattr(friend.contact, name)
        case _:
            return values.get(name, {}).get(friend.contact.id)


friends = Exportable(
    name="friends",
    label=_("Friends"),
    icon="users",
    hint=_("One line for each person, with what you choose."),
    columns=columns,
    rows=rows,
)
