"""What staff do to people by hand: correct their fields, tag many at once, list them all."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select

from hiiki.contacts.attributes import all_attributes
from hiiki.contacts.models import Attribute, Contact, ContactAttribute
from hiiki.contacts.prefectures import prefecture_name
from hiiki.contacts.schemas import ContactPatch
from hiiki.contacts.search import Friend, FriendFilter, find
from hiiki.contacts.service import add_tag, remove_tag, set_attribute
from hiiki.contacts.values import Value, parse_value, shown, stored
from hiiki.db import WorkspaceSession, scope
from hiiki.kit.i18n import Text, _, set_locale
from hiiki.kit.road import road
from hiiki.workspace.access import Access, audit

CSV_PAGE = 1000
BOM = "\ufeff"
"""Without it Excel takes a UTF-8 file for Shift_JIS."""

STATUS_LABELS = {"following": _("Friend"), "blocked": _("Blocked"), "": _("Not a friend")}

_HEADINGS: Sequence[Text] = (
    _("ID"),
    _("LINE name"),
    _("Real name"),
    _("Standing"),
    _("Tags"),
    _("E-mail"),
    _("Phone"),
    _("Prefecture"),
    _("Birthday"),
    _("Has bought"),
    _("Friend since"),
    _("Last seen"),
)


def change(contact: Contact, patch: ContactPatch) -> list[str]:
    """Write what `patch` names into a contact; returns the names of what has changed."""
    changed: list[str] = []
    for name in sorted(patch.model_fields_set):
        value = getattr(patch, name)
        if value == "":
            value = None
        if getattr(contact, name) != value:
            setattr(contact, name, value)
            changed.append(name)
    return changed


async def put_tag(
    session: WorkspaceSession, access: Access, contact_id: UUID, tag_id: UUID
) -> bool:
    """Tag a contact in the name of who asks; True when the tag is new on them. Rules run."""
    if not await add_tag(session, contact_id, tag_id):
        return False
    audit(session, access, "contacts.tag_add", contact_id, tag_id=str(tag_id))
    by = {"by": access.actor_name}
    await road().emit(session, contact_id, None, "tag_set", subject=tag_id, data=by)
    return True


async def take_tag(
    session: WorkspaceSession, access: Access, contact_id: UUID, tag_id: UUID
) -> bool:
    """Take a tag off a contact as `put_tag` puts it on; True when it had been there."""
    if not await remove_tag(session, contact_id, tag_id):
        return False
    audit(session, access, "contacts.tag_remove", contact_id, tag_id=str(tag_id))
    by = {"by": access.actor_name}
    await road().emit(session, contact_id, None, "tag_removed", subject=tag_id, data=by)
    return True


async def put_value(
    session: WorkspaceSession, access: Access, contact_id: UUID, attribute: Attribute, value: Value
) -> bool:
    """Set an attribute in the name of who asks, or clear it; True when it has changed. Rules run.

    Raises `Invalid` when the value is not of the attribute's kind.
    """
    row = await session.get(ContactAttribute, (contact_id, attribute.id))
    was = stored(row) if row is not None else None
    parsed = parse_value(attribute, value)
    if parsed == was:
        return False
    await set_attribute(session, contact_id, attribute, value)
    audit(session, access, "contacts.attribute_set", contact_id, keys=[attribute.key])
    about = {"text": shown(parsed), "was": shown(was), "by": access.actor_name}
    await road().emit(session, contact_id, None, "attribute_set", subject=attribute.id, data=about)
    return True


def chosen(contact_ids: Sequence[UUID]) -> Select[UUID]:
    """Return these contacts as a query, for what takes one."""
    return select(Contact.id).where(Contact.id.in_(contact_ids))


async def csv_lines(access: Access, locale: str, wanted: FriendFilter) -> AsyncIterator[bytes]:
    """Give the contacts that `wanted` describes as CSV, page by page.

    Each page is a transaction of its own, so that an export of a million does not hold one
    open; the keyset order keeps it whole while new friends arrive.
    """
    zone = ZoneInfo(access.timezone)
    set_locale(locale)
    async with scope(access.workspace_id) as session:
        attributes = await all_attributes(session)
    titles = [str(text) for text in _HEADINGS] + [each.label for each in attributes]
    yield (BOM + _csv([titles])).encode()
    after: str | None = None
    while True:
        async with scope(access.workspace_id) as session:
            page = await find(session, wanted, after, CSV_PAGE)
            values = await _values(session, [each.contact.id for each in page.friends])
        lines = [_line(each, attributes, values, zone) for each in page.friends]
        if lines:
            yield _csv(lines).encode()
        after = page.next
        if after is None:
            return


def safe_cell(text: str) -> str:
    """Return `text` so that no spreadsheet takes it for a formula (OWASP, "CSV injection")."""
    if text.lstrip(" \u3000")[:1] in ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"):
        return "'" + text
    return text.replace("\r", " ")


async def _values(
    session: WorkspaceSession, contact_ids: Sequence[UUID]
) -> dict[tuple[UUID, UUID], str]:
    rows = await session.scalars(
        select(ContactAttribute).where(ContactAttribute.contact_id.in_(contact_ids))
    )
    return {(row.contact_id, row.attribute_id): shown(stored(row)) for row in rows}


def _line(
    friend: Friend,
    attributes: Sequence[Attribute],
    values: dict[tuple[UUID, UUID], str],
    zone: ZoneInfo,
) -> list[str]:
    contact = friend.contact
    return [
        str(contact.id),
        contact.display_name,
        contact.real_name or "",
        str(STATUS_LABELS[friend.status]),
        "、".join(tag.name for tag in friend.tags),
        contact.email or "",
        contact.phone or "",
        prefecture_name(contact.prefecture),
        shown(contact.birthday),
        str(_("Yes")) if contact.is_purchaser else "",
        _moment(friend.followed_at, zone),
        _moment(friend.last_seen_at, zone),
        *(values.get((contact.id, each.id), "") for each in attributes),
    ]


def _moment(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _csv(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([[safe_cell(cell) for cell in row] for row in rows])
    return out.getvalue()
