"""What staff do to people by hand: correct their fields, tag them, set values."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, select

from hiiki.contacts.models import Attribute, Contact, ContactAttribute
from hiiki.contacts.schemas import ContactPatch
from hiiki.contacts.service import add_tag, remove_tag, set_attribute
from hiiki.contacts.values import Value, parse_value, shown, stored
from hiiki.db import WorkspaceSession
from hiiki.kit.i18n import _
from hiiki.kit.road import road
from hiiki.workspace.access import Access, audit

BOM = "\ufeff"
"""Without it Excel takes a UTF-8 file for Shift_JIS."""

STATUS_LABELS = {"following": _("Friend"), "blocked": _("Blocked"), "": _("Not a friend")}


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


def safe_cell(text: str) -> str:
    """Return `text` so that no spreadsheet takes it for a formula (OWASP, "CSV injection")."""
    if text.lstrip(" \u3000")[:1] in ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"):
        return "'" + text
    return text.replace("\r", " ")
