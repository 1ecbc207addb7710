"""Getting in and out: first visit, log-in, one's own profile, one's workspaces."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.datastructures import Cookie
from litestar.response import Redirect, Response
from sqlalchemy import update

from hiiki.db import WorkspaceSession, everywhere
from hiiki.kit.clock import now
from hiiki.kit.errors import HiikiError, Invalid, NotFound
from hiiki.kit.forms import parse
from hiiki.kit.i18n import LOCALES, _, current_locale, set_locale
from hiiki.kit.pages import WebRequest, client_address, form_data, inside, page, to
from hiiki.settings import settings
from hiiki.workspace import auth, service
from hiiki.workspace.access import LOCALE_COOKIE, SESSION_COOKIE, Access, audit
from hiiki.workspace.models import AuditEntry, LoginSession, Membership, Staff
from hiiki.workspace.schemas import FirstOwner, NewWorkspace, PasswordChange, Profile

_COOKIE_LIFE = 400 * 24 * 3600
"""As long as browsers allow; when the log-in really ends is the server's business."""
ANYBODY = {"role": "viewer"}


def session_cookie(value: str) -> Cookie:
    """Return the cookie that is the log-in; an empty value ends it."""
    return Cookie(
        key=SESSION_COOKIE,
        value=value,
        max_age=_COOKIE_LIFE if value else 0,
        httponly=True,
        secure=settings().cookies_are_secure,
        samesite="lax",
    )


def locale_cookie(locale: str) -> Cookie:
    """Return the cookie that remembers this browser's language."""
    return Cookie(
        key=LOCALE_COOKIE,
        value=locale,
        max_age=_COOKIE_LIFE,
        httponly=True,
        secure=settings().cookies_are_secure,
        samesite="lax",
    )


@get("/welcome")
async def show_welcome() -> Response[Any]:
    """The first visit; once there is an owner it leads to the log-in."""
    if await auth.anybody():
        return to("/login")
    return page("workspace/welcome.html", data={}, errors={}, message="")


@post("/welcome")
async def welcome(request: WebRequest) -> Response[Any]:
    """Make the workspace and its owner, and log them in."""
    data = await form_data(request)
    try:
        given = parse(FirstOwner, data)
    except Invalid as error:
        return page(
            "workspace/welcome.html",
            status=422,
            data=data,
            errors=error.fields,
            message=error.message,
        )
    if await auth.anybody():
        return to("/login")
    async with everywhere() as session:  # there is no workspace yet
        workspace, staff = await service.create_first_owner(session, given, locale=current_locale())
        session.add(
            AuditEntry(
                workspace_id=workspace.id,
                actor_kind="staff",
                actor_id=staff.id,
                actor_name=staff.name,
                action="workspace.create",
                data={"name": workspace.name},
            )
        )
    value = await auth.start_session(staff.id, user_agent=request.headers.get("user-agent", ""))
    return to(
        "/settings/channels",
        _("Welcome! Next, connect your official account."),
        [session_cookie(value), locale_cookie(staff.locale)],
    )


@get("/login")
async def show_login(request: WebRequest) -> Response[Any]:
    """The log-in page; who is logged in goes on to where they wanted to go."""
    if request.state.access is not None:
        return to(inside(request.query_params.get("next")))
    if not await auth.anybody():
        return to("/welcome")
    return page(
        "workspace/login.html", email="", message="", next=inside(request.query_params.get("next"))
    )


@post("/login")
async def log_in(request: WebRequest) -> Response[Any]:
    """Log in."""
    data = await form_data(request)
    email, password = str(data.get("email", ""))[:200], str(data.get("password", ""))[:200]
    following = inside(str(data.get("next", "")))
    try:
        value, staff = await auth.log_in(
            email,
            password,
            address=client_address(request),
            user_agent=request.headers.get("user-agent", ""),
        )
    except HiikiError as error:
        return page(
            "workspace/login.html",
            status=error.status,
            email=email,
            message=error.message,
            next=following,
        )
    if before := request.cookies.get(SESSION_COOKIE):
        await auth.log_out(before)
    cookies = [session_cookie(value)]
    if request.cookies.get(LOCALE_COOKIE) not in LOCALES:
        cookies.append(locale_cookie(staff.locale))
    return to(following, cookies=cookies)


@post("/logout")
async def log_out(request: WebRequest) -> Redirect:
    """Log out of this browser."""
    if cookie := request.cookies.get(SESSION_COOKIE):
        await auth.log_out(cookie)
    return to("/login", cookies=[session_cookie("")])


@post("/language")
async def choose_language(request: WebRequest) -> Redirect:
    """Speak another language in this browser, and remember it with the person."""
    data = await form_data(request)
    locale = str(data.get("locale", ""))
    if locale not in LOCALES:
        raise NotFound()
    access: Access | None = request.state.access
    if access is not None and access.staff_id is not None:
        async with everywhere() as session:  # a person's language is theirs in every workspace
            await session.execute(
                update(Staff).where(Staff.id == access.staff_id).values(locale=locale)
            )
    return to(inside(str(data.get("next", ""))), cookies=[locale_cookie(locale)])


@get("/profile")
async def show_profile(access: Access, session: WorkspaceSession) -> Response[Any]:
    """One's own name, language and password."""
    staff = await session.one(Staff, access.staff_id)
    return _profile_page(staff, {"name": staff.name, "locale": staff.locale})


@post("/profile", opt=ANYBODY)
async def save_profile(
    request: WebRequest, access: Access, session: WorkspaceSession
) -> Response[Any]:
    """Change one's own name and language."""
    data = await form_data(request)
    staff = await session.one(Staff, access.staff_id)
    try:
        given = parse(Profile, data)
    except Invalid as error:
        return _profile_page(staff, data, error.fields, status=422)
    staff.name, staff.locale = given.name, given.locale
    audit(session, access, "workspace.profile_update", staff.id)
    set_locale(given.locale)
    return to("/profile", _("Your profile has been saved."), [locale_cookie(given.locale)])


@post("/profile/password", opt=ANYBODY)
async def save_password(
    request: WebRequest, access: Access, session: WorkspaceSession
) -> Response[Any]:
    """Change one's own password, which ends one's other sessions."""
    data = await form_data(request)
    staff = await session.one(Staff, access.staff_id)
    try:
        given = parse(PasswordChange, data)
        await service.change_password(
            session,
            staff,
            given.current,
            given.password,
            cookie=request.cookies.get(SESSION_COOKIE, ""),
        )
    except Invalid as error:
        known = {"name": staff.name, "locale": staff.locale}
        return _profile_page(staff, known, error.fields, status=422)
    audit(session, access, "workspace.password_change", staff.id)
    return to("/profile", _("The password has been changed. You are logged out everywhere else."))


def _profile_page(
    staff: Staff, data: dict[str, Any], errors: Any = None, status: int = 200
) -> Response[Any]:
    return page(
        "workspace/profile.html", status=status, staff=staff, data=data, errors=errors or {}
    )


@get("/workspaces")
async def list_workspaces(access: Access) -> Response[Any]:
    """The workspaces one belongs to."""
    return page(
        "workspace/workspaces.html",
        workspaces=await _mine(access),
        errors={},
        name="",
    )


@post("/workspaces", opt=ANYBODY)
async def make_workspace(request: WebRequest, access: Access) -> Response[Any]:
    """Make another workspace, of which one is the owner, and go there."""
    data = await form_data(request)
    try:
        given = parse(NewWorkspace, data)
    except Invalid as error:
        return page(
            "workspace/workspaces.html",
            status=422,
            workspaces=await _mine(access),
            errors=error.fields,
            name=data.get("workspace", ""),
        )
    assert access.staff_id is not None
    async with everywhere() as session:  # the new workspace is another one than ours
        workspace = await service.create_workspace(
            session, given.workspace, locale=current_locale(), timezone=access.timezone
        )
        await service.join(session, workspace.id, access.staff_id, "owner")
        session.add(
            AuditEntry(
                workspace_id=workspace.id,
                actor_kind="staff",
                actor_id=access.actor_id,
                actor_name=access.actor_name,
                action="workspace.create",
                data={"name": workspace.name},
            )
        )
    await _look_at(request, workspace.id)
    return to("/", _("The workspace has been made."))


@post("/workspaces/{workspace_id:uuid}/open", opt=ANYBODY)
async def open_workspace(request: WebRequest, access: Access, workspace_id: UUID) -> Response[Any]:
    """Look at another of one's workspaces in this browser."""
    async with everywhere() as session:  # the question is whether one belongs to another one
        if await session.get(Membership, (access.staff_id, workspace_id)) is None:
            raise NotFound()
    await _look_at(request, workspace_id)
    return to("/")


async def _mine(access: Access) -> Any:
    assert access.staff_id is not None
    async with everywhere() as session:  # a person may belong to several workspaces
        return await service.workspaces_of(session, access.staff_id)


async def _look_at(request: WebRequest, workspace_id: UUID) -> None:
    cookie = request.cookies.get(SESSION_COOKIE, "")
    async with everywhere() as session:  # a log-in session is not a workspace's
        await session.execute(
            update(LoginSession)
            .where(LoginSession.token_hash == auth.digest(cookie))
            .values(workspace_id=workspace_id, seen_at=now())
        )


public = [show_welcome, welcome, show_login, log_in, log_out, choose_language]
pages = [
    show_profile,
    save_profile,
    save_password,
    list_workspaces,
    make_workspace,
    open_workspace,
]
