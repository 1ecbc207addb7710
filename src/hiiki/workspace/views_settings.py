"""Settings: the workspace itself, its staff, API tokens, and the audit record."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.response import Response
from sqlalchemy import func, select

from hiiki.db import WorkspaceSession, everywhere
from hiiki.kit.errors import Conflict, Invalid
from hiiki.kit.forms import parse
from hiiki.kit.i18n import _, current_locale
from hiiki.kit.pages import WebRequest, form_data, page, to
from hiiki.workspace import audit as record
from hiiki.workspace import auth, service
from hiiki.workspace.access import Access, audit
from hiiki.workspace.models import Membership, Workspace
from hiiki.workspace.schemas import NewPassword, NewStaff, NewToken, StaffRole, WorkspaceSettings
from hiiki.workspace.words import action_label, room_label

OWNER = {"role": "owner"}
TIMEZONES = (
    "Asia/Tokyo",
    "Asia/Seoul",
    "Asia/Taipei",
    "Asia/Shanghai",
    "Asia/Hong_Kong",
    "Asia/Bangkok",
    "Asia/Jakarta",
    "Asia/Singapore",
    "Asia/Kolkata",
    "Australia/Sydney",
    "Pacific/Auckland",
    "Pacific/Honolulu",
    "America/Los_Angeles",
    "America/New_York",
    "Europe/London",
    "Europe/Berlin",
    "UTC",
)


@get("/settings/workspace", opt=OWNER)
async def show_workspace(access: Access, session: WorkspaceSession) -> Response[Any]:
    """The workspace's name, time zone and language."""
    workspace = await session.one(Workspace, access.workspace_id)
    data = {"name": workspace.name, "timezone": workspace.timezone, "locale": workspace.locale}
    return page("workspace/settings.html", data=data, errors={}, timezones=_timezones(data))


@post("/settings/workspace", opt=OWNER)
async def save_workspace(
    request: WebRequest, access: Access, session: WorkspaceSession
) -> Response[Any]:
    """Change them."""
    data = await form_data(request)
    try:
        given = parse(WorkspaceSettings, data)
    except Invalid as error:
        return page(
            "workspace/settings.html",
            status=422,
            data=data,
            errors=error.fields,
            timezones=_timezones(data),
        )
    workspace = await session.one(Workspace, access.workspace_id)
    workspace.name, workspace.timezone = given.name, given.timezone
    workspace.locale = given.locale
    audit(session, access, "workspace.update", workspace.id, name=given.name)
    return to("/settings/workspace", _("The settings have been saved."))


def _timezones(data: dict[str, Any]) -> list[tuple[str, str]]:
    names = [*TIMEZONES]
    if data.get("timezone") and data["timezone"] not in names:
        names.append(data["timezone"])
    return [(name, name.replace("_", " ")) for name in names]


@get("/settings/staff", opt=OWNER)
async def list_staff(session: WorkspaceSession) -> Response[Any]:
    """Who works here."""
    return await _staff_page(session)


async def _staff_page(session: WorkspaceSession, message: Any = "", status: int = 200) -> Any:
    return page(
        "workspace/staff.html",
        status=status,
        members=await service.members(session),
        message=message,
    )


@get("/settings/staff/new", opt=OWNER)
async def show_new_staff() -> Response[Any]:
    """Somebody is to be added."""
    data = {"role": "operator", "locale": current_locale()}
    return page("workspace/staff_new.html", data=data, errors={}, message="")


@post("/settings/staff", opt=OWNER)
async def add_staff(
    request: WebRequest, access: Access, session: WorkspaceSession
) -> Response[Any]:
    """Add a person with a first password, which is told to them in person."""
    data = await form_data(request)
    try:
        given = parse(NewStaff, data)
        staff = await service.create_staff(
            session,
            access.workspace_id,
            given.email,
            given.name,
            given.password,
            given.role,
            locale=given.locale,
        )
    except Invalid as error:
        return page(
            "workspace/staff_new.html",
            status=422,
            data=data,
            errors=error.fields,
            message=error.message,
        )
    audit(session, access, "workspace.staff_add", staff.id, email=staff.email, role=given.role)
    said = (
        _("%(name)s has been added.", name=staff.name)
        if await auth.password_matches(staff.password_hash, given.password)
        else _("%(name)s has been added, and logs in with their own password.", name=staff.name)
    )
    return to("/settings/staff", said)


@get("/settings/staff/{staff_id:uuid}", opt=OWNER)
async def show_staff(session: WorkspaceSession, staff_id: UUID) -> Response[Any]:
    """One person: role, password, removal."""
    return await _person_page(session, staff_id)


async def _person_page(
    session: WorkspaceSession,
    staff_id: UUID,
    errors: Any = None,
    message: Any = "",
    status: int = 200,
) -> Any:
    return page(
        "workspace/person.html",
        status=status,
        member=await service.member(session, staff_id),
        is_ours_alone=await _is_ours_alone(staff_id),
        errors=errors or {},
        message=message,
    )


@post("/settings/staff/{staff_id:uuid}/role", opt=OWNER)
async def change_role(
    request: WebRequest, access: Access, session: WorkspaceSession, staff_id: UUID
) -> Response[Any]:
    """Let a person do more, or less."""
    try:
        given = parse(StaffRole, await form_data(request))
        await service.change_role(session, staff_id, given.role)
    except (Conflict, Invalid) as error:
        return await _person_page(
            session, staff_id, error.fields, error.message, status=error.status
        )
    audit(session, access, "workspace.staff_role", staff_id, role=given.role)
    return to(f"/settings/staff/{staff_id}", _("The role has been changed."))


@post("/settings/staff/{staff_id:uuid}/password", opt=OWNER)
async def reset_password(
    request: WebRequest, access: Access, session: WorkspaceSession, staff_id: UUID
) -> Response[Any]:
    """Set a new password for somebody who belongs to this workspace alone."""
    found = await service.member(session, staff_id)
    if not await _is_ours_alone(staff_id):
        raise Conflict(
            _("This person belongs to other workspaces too, and sets the password themselves.")
        )
    try:
        given = parse(NewPassword, await form_data(request))
    except Invalid as error:
        return await _person_page(session, staff_id, error.fields, status=422)
    found.staff.password_hash = await auth.hash_password(given.password)
    await auth.end_sessions(session, staff_id)
    audit(session, access, "workspace.staff_password", staff_id)
    return to(f"/settings/staff/{staff_id}", _("The password has been set."))


@post("/settings/staff/{staff_id:uuid}/remove", opt=OWNER)
async def remove_staff(access: Access, session: WorkspaceSession, staff_id: UUID) -> Response[Any]:
    """Take a person out of the workspace."""
    found = await service.member(session, staff_id)
    try:
        await service.remove_member(session, staff_id)
    except Conflict as error:
        return await _person_page(session, staff_id, message=error.message, status=error.status)
    audit(session, access, "workspace.staff_remove", staff_id, email=found.staff.email)
    if staff_id == access.staff_id:
        return to("/", _("You have left the workspace."))
    return to("/settings/staff", _("%(name)s has been removed.", name=found.staff.name))


async def _is_ours_alone(staff_id: UUID) -> bool:
    async with everywhere() as session:  # the question is about the other workspaces
        count = await session.scalar(
            select(func.count()).select_from(Membership).where(Membership.staff_id == staff_id)
        )
    return count == 1


@get("/settings/tokens", opt=OWNER)
async def list_tokens(session: WorkspaceSession) -> Response[Any]:
    """The programs that may use the API."""
    return await _tokens_page(session)


async def _tokens_page(session: WorkspaceSession, status: int = 200, **shown: Any) -> Any:
    known: dict[str, Any] = {"data": {"name": "", "role": "operator"}, "errors": {}, "made": ""}
    return page(
        "workspace/tokens.html",
        status=status,
        tokens=await service.tokens(session),
        **(known | shown),
    )


@post("/settings/tokens", opt=OWNER, status_code=200)
async def make_token(
    request: WebRequest, access: Access, session: WorkspaceSession
) -> Response[Any]:
    """Make a token and show it, this once."""
    data = await form_data(request)
    try:
        token, value = await service.issue_token(session, parse(NewToken, data))
    except Invalid as error:
        return await _tokens_page(session, status=422, data=data, errors=error.fields)
    audit(session, access, "workspace.token_create", token.id, name=token.name, role=token.role)
    shown: Response[Any] = await _tokens_page(session, made=value)
    shown.headers["cache-control"] = "no-store"
    return shown


@post("/settings/tokens/{token_id:uuid}/revoke", opt=OWNER)
async def revoke_token(access: Access, session: WorkspaceSession, token_id: UUID) -> Response[Any]:
    """End a token at once."""
    token = await service.revoke_token(session, token_id)
    audit(session, access, "workspace.token_revoke", token_id, name=token.name)
    return to("/settings/tokens", _("The token %(name)s no longer works.", name=token.name))


@get("/settings/audit", opt=OWNER)
async def show_audit(
    session: WorkspaceSession,
    before: UUID | None = None,
    who: str = "",
    room: str = "",
) -> Response[Any]:
    """What was done here, by whom."""
    try:
        actor = UUID(who) if who else None
    except ValueError:
        actor = None
    entries, following = await record.entries(session, before=before, actor_id=actor, room=room)
    return page(
        "workspace/audit.html",
        entries=entries,
        following=following,
        before=before,
        who=who,
        room=room,
        actors=await record.actors(session),
        rooms=[(name, room_label(name)) for name in await record.rooms(session)],
        label=action_label,
    )


pages = [
    show_workspace,
    save_workspace,
    list_staff,
    show_new_staff,
    add_staff,
    show_staff,
    change_role,
    reset_password,
    remove_staff,
    list_tokens,
    make_token,
    revoke_token,
    show_audit,
]
