"""The customers' pages: come by a button or a QR code, say who you are, be linked; and unlink.

    message button ─ ticket ─┐                    ┌─ our form ─┐
                             ├─ /id-link/me ──────┤            ├─ LINE's dialog ─ webhook ─ linked
    QR code ─ LINE Login ────┘                    └─ the shop's site ─ nonce ─┘

After a LINE Login our form links at once, for LINE has just said who is there. A ticket says only
for whom a message was, and messages are passed on: it shows nothing of a link and takes none back.
"""

from __future__ import annotations

import re
import secrets
from datetime import date
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import structlog
from litestar import get, post
from litestar.params import Parameter
from litestar.response import Redirect, Response, Template
from sqlalchemy import select

from hiiki.contacts import service as contacts
from hiiki.contacts.models import Contact
from hiiki.content import opening, tickets
from hiiki.db import WorkspaceSession, everywhere, scope
from hiiki.idlink import passes, proofs, service
from hiiki.idlink.cards import PATH
from hiiki.idlink.login import begin, channel_for, finish
from hiiki.idlink.models import Link, Place, Setting
from hiiki.idlink.phrases import LANGUAGES, Words, language_of
from hiiki.idlink.schemas import MAX_NUMBER
from hiiki.idlink.visits import Underway, Visit, cookie_of, no_cookie, read, words_for
from hiiki.kit.clock import now
from hiiki.kit.errors import NotFound
from hiiki.kit.pages import WebRequest, client_address, form_data, page, to
from hiiki.kit.road import road
from hiiki.line.client import LineError
from hiiki.line.login import BadLogin, LoggedIn, account_link_url
from hiiki.workspace.channels import client_of
from hiiki.workspace.models import Channel, Workspace

log = structlog.get_logger()
HOME = "/id-link/me"
_PRIVATE = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
_SHOWN = re.compile(r"[a-z_]{1,20}")


@get("/id-link/go/{code:str}/{ticket:str}", opt={"exclude_from_csrf": True})
async def come_by_message(request: WebRequest, code: str, ticket: str) -> Response[Any]:
    """Somebody has tapped the button of a message; the ticket says for whom it was."""
    link = await opening.find(code)
    if link is None or link.url != PATH:
        raise NotFound()
    if not opening.is_visit(request.headers):
        return page("idlink/preview_robot.html")
    contact_id = tickets.contact_of(code, ticket)
    async with scope(link.workspace_id) as session:
        if contact_id is not None and await session.get(Contact, contact_id) is None:
            contact_id = None
        channel_id = None
        if contact_id is not None:
            channel_id = await opening.channel_of(session, contact_id, link.owner)
            await _opened(session, contact_id, "")
        visit = Visit(str(link.workspace_id), str(channel_id or ""), str(contact_id or ""))
    return to(HOME, cookies=[cookie_of(visit)])


@get("/id-link/at/{place:str}", opt={"exclude_from_csrf": True})
async def come_by_place(place: str) -> Response[Any]:
    """Somebody has read the QR code of a store, a receipt, a page."""
    # A customer has an address and no log-in: which workspace it belongs to is in the row.
    async with everywhere() as session:
        found = await session.scalar(select(Place).where(Place.code == place))
    if found is None:
        raise NotFound()
    visit = Visit(str(found.workspace_id), str(found.channel_id), place=found.code)
    return to(HOME, cookies=[cookie_of(visit)])


@get("/id-link/me")
async def show_me(request: WebRequest, said: str = "", lang: str = "") -> Response[Any]:
    """The one page: what there is to do for who is here."""
    visit = read(request, Visit)
    if visit is None:
        return _message(Words(_browsers(request)), "over")
    if language_of(lang):
        visit = _changed(visit, language=language_of(lang) or "")
    async with scope(visit.workspace_id) as session:
        answer = await _show(session, request, visit, said=said if _SHOWN.fullmatch(said) else "")
    answer.set_cookie(cookie_of(visit))
    return answer


@post("/id-link/me")
async def link_me(request: WebRequest) -> Response[Any]:
    """A customer number and its check: on to LINE, or linked at once after a LINE Login."""
    visit = read(request, Visit)
    if visit is None or visit.contact_id is None:
        return to(HOME)
    data = await form_data(request)
    number, given = str(data.get("number", "")), str(data.get("proof", ""))
    async with scope(visit.workspace_id) as session:
        setting = await service.setting_of(session)
        if setting is None or setting.method != "page":
            return to(HOME)
        words = await _words(session, request, visit)
        errors = _missing(words, number, given, setting.proof)
        if errors:
            return await _show(session, request, visit, errors=errors, typed=data, status=422)
        number = service.plain_number(number)
        address = client_address(request)
        reason = ""
        if not await proofs.admit(session, visit.contact_id, number, address):
            reason = "too_many"
        elif not await proofs.matches(session, number, setting.proof, given):
            reason = "wrong"
        if reason:
            await service.fail(session, visit.contact_id, visit.channel_id, reason)
            return await _show(
                session, request, visit, errors={"": words(reason)}, typed=data, status=422
            )
        await passes.note_login(session, visit.contact_id, visit.place)
    return await _link(request, visit, number)


async def _link(request: WebRequest, visit: Visit, number: str) -> Response[Any]:
    """Link who has shown which customer they are; LINE is asked outside any transaction."""
    assert visit.contact_id is not None
    if visit.is_proved:
        return await _link_now(visit, number)
    token = await _link_token(visit)
    async with scope(visit.workspace_id) as session:
        words = await _words(session, request, visit)
        if token in service.FAILURES:
            await service.fail(session, visit.contact_id, visit.channel_id, token)
            return to(f"{HOME}?said={token}")
        made = await passes.take_nonce(session, number, visitor=visit.contact_id, place=visit.place)
        shop = await session.known(Workspace, session.workspace_id)
        return _page("going", words, shop=shop.name, url=account_link_url(token, made.nonce))


async def _link_now(visit: Visit, number: str) -> Response[Any]:
    assert visit.contact_id is not None
    try:
        async with scope(visit.workspace_id) as session:
            await service.link_now(
                session,
                visit.contact_id,
                visit.channel_id,
                number,
                way="login",
                place=visit.place,
            )
    except service.Refused as error:
        async with scope(visit.workspace_id) as session:
            await service.fail(session, visit.contact_id, visit.channel_id, error.reason)
        return to(f"{HOME}?said={error.reason}")
    return to(f"{HOME}?said=done")


@get("/id-link/site")
async def go_to_site(request: WebRequest) -> Response[Any]:
    """On to the shop's own log-in page, with a link token that is issued only now."""
    visit = read(request, Visit)
    if visit is None or visit.contact_id is None:
        return to(HOME)
    async with scope(visit.workspace_id) as session:
        setting = await service.setting_of(session)
        if setting is None or setting.method != "site":
            return to(HOME)
    token = await _link_token(visit)
    async with scope(visit.workspace_id) as session:
        if token in service.FAILURES:
            await service.fail(session, visit.contact_id, visit.channel_id, token)
            return to(f"{HOME}?said={token}")
        await passes.keep_token(session, token, visit.contact_id, visit.place)
    mark = "&" if "?" in setting.site_url else "?"
    url = f"{setting.site_url}{mark}{urlencode({'linkToken': token})}"
    return Redirect(url, status_code=303, headers=_PRIVATE)


async def _link_token(visit: Visit) -> str:
    """Return a link token for who is here, or one of `service.FAILURES`."""
    async with scope(visit.workspace_id) as session:
        assert visit.contact_id is not None
        channel_id = await service.channel_of(session, visit.contact_id)
        friend = await service.friendship(session, visit.contact_id, channel_id)
        channel = await session.get(Channel, channel_id) if channel_id else None
        if friend is None or channel is None:
            return "not_friend"
        client = client_of(channel)
    try:
        return await client.link_token(friend.line_user_id) or "line_down"
    except LineError as error:
        log.warning("id_link.no_token", status=error.status, error=error.message)
        return "not_friend" if error.status == 404 else "line_down"


@post("/id-link/unlink")
async def unlink_me(request: WebRequest) -> Response[Any]:
    """Take the link back: at any time, as LINE's document "User account linking" has it."""
    visit = read(request, Visit)
    if visit is None or visit.contact_id is None or not visit.is_proved:
        return to(HOME)
    async with scope(visit.workspace_id) as session:
        await service.unlink(session, visit.contact_id, by="customer")
    return to(f"{HOME}?said=unlinked")


@get("/id-link/login")
async def log_in(request: WebRequest, again: bool = False) -> Response[Any]:
    """On to LINE Login. `again`: without auto login, which has failed."""
    visit = read(request, Visit)
    if visit is None:
        return to(HOME)
    async with scope(visit.workspace_id) as session:
        login = await channel_for(session, visit.channel_id)
        if login is None:
            return to(HOME)
        words = await _words(session, request, visit)
    url, underway = begin(visit, login, words.language, again=again)
    return Redirect(url, status_code=303, cookies=[cookie_of(underway)], headers=_PRIVATE)


@get("/id-link/callback")
async def come_back(
    request: WebRequest,
    code: str = "",
    came: Annotated[str, Parameter(query="state")] = "",
    error: str = "",
) -> Response[Any]:
    """Back from LINE Login; `state` must be the one that this browser took along."""
    underway = read(request, Underway)
    if underway is None or not secrets.compare_digest(came.encode(), underway.state.encode()):
        # An attack, or auto login that failed: LINE tells the two apart no more than we can
        # ("How to handle auto login failure"). The next try is without auto login.
        return to(f"{HOME}?said=login_failed")
    done = no_cookie(Underway)
    if error or not code:
        refused = error.upper() == "ACCESS_DENIED"
        return to(f"{HOME}?said={'denied' if refused else 'login_failed'}", cookies=[done])
    try:
        login, who = await finish(underway, code)
    except (BadLogin, LineError) as wrong:
        log.warning("id_link.login_failed", error=str(wrong))
        down = isinstance(wrong, LineError) and not wrong.is_permanent
        return to(f"{HOME}?said={'line_down' if down else 'login_failed'}", cookies=[done])
    visit = Visit(
        underway.workspace,
        str(login.channel_id),
        place=underway.place,
        language=underway.language,
    )
    found = await _meet(visit, who)
    if isinstance(found, str):
        return to(f"{HOME}?said={found}", cookies=[done, cookie_of(visit)])
    return to(HOME, cookies=[done, cookie_of(found)])


async def _meet(visit: Visit, who: LoggedIn) -> Visit | str:
    """Return the visit of who has logged in, or why they cannot be linked.

    Their friendship is known, or LINE is asked: it tells the profile only of friends, and of
    those whom a Login channel of the same provider names.
    """
    from hiiki.kit.ids import contact_id as derive

    async with scope(visit.workspace_id) as session:
        assert visit.channel_id is not None
        channel = await session.one(Channel, visit.channel_id)
        ident = derive(visit.workspace_id, channel.provider, who.user_id)
        friend = await service.friendship(session, ident, channel.id)
        client = client_of(channel)
    if friend is None or friend.status != "following":
        try:
            await client.profile(who.user_id)
        except LineError as error:
            return "not_friend" if error.status == 404 else "line_down"
    async with scope(visit.workspace_id) as session:
        if friend is None:
            await contacts.meet(session, channel, who.user_id, at=now())
            await session.flush()
        await _opened(session, ident, visit.place)
    return _changed(visit, contact=str(ident), is_proved=True)


async def _opened(session: WorkspaceSession, contact_id: Any, place: str) -> None:
    channel_id = await service.channel_of(session, contact_id)
    await road().emit(session, contact_id, channel_id, "id_link_open", subject=place)


# ---- what is shown ----


async def _show(
    session: WorkspaceSession,
    request: WebRequest,
    visit: Visit,
    *,
    said: str = "",
    errors: dict[str, str] | None = None,
    typed: dict[str, Any] | None = None,
    status: int = 200,
) -> Template:
    words = await _words(session, request, visit)
    setting = await service.setting_of(session)
    workspace = await session.known(Workspace, session.workspace_id)
    channel = await session.get(Channel, visit.channel_id) if visit.channel_id else None
    login = await channel_for(session, visit.channel_id)
    linked = await session.get(Link, visit.contact_id) if visit.contact_id else None
    if linked is not None:
        view = "linked" if visit.is_proved else "unproved"
    elif setting is None:
        view = "closed"
    elif visit.contact_id is None:
        view = "login" if login is not None else "from_chat"
    else:
        view = "form" if setting.method == "page" else "site"
    return _page(
        view,
        words,
        status=status,
        shop=workspace.name,
        picture=channel.picture_url if channel else "",
        friend_url=f"https://line.me/R/ti/p/{channel.basic_id}"
        if channel and channel.basic_id
        else "",
        proof=setting.proof if setting else "email",
        login=login is not None,
        chat_url=_chat_url(channel, words),
        since=_day(linked.linked_at, workspace.timezone, words.language) if linked else "",
        number=service.masked(linked.customer) if linked else "",
        said=said,
        errors=errors or {},
        typed=typed or {},
        again=said in ("login_failed", "line_down"),
    )


def _chat_url(channel: Channel | None, words: Words) -> str:
    """Return where the chat opens with what unlinks already typed (LINE URL scheme)."""
    if channel is None or not channel.basic_id:
        return ""
    basic_id = channel.basic_id if channel.basic_id.startswith("@") else f"@{channel.basic_id}"
    return f"https://line.me/R/oaMessage/{quote(basic_id)}/?{quote(words('unlink_word'))}"


def _page(view: str, words: Words, *, status: int = 200, **more: Any) -> Template:
    context: dict[str, Any] = {
        "view": view,
        "words": words,
        "languages": LANGUAGES,
        "shop": "",
        "picture": "",
        "friend_url": "",
        "login": False,
        "chat_url": "",
        "proof": "email",
        "since": "",
        "number": "",
        "said": "",
        "errors": {},
        "typed": {},
        "again": False,
        "url": "",
        "most": MAX_NUMBER,
        "is_preview": False,
    }
    answer = page("idlink/public.html", status=status, **{**context, **more})
    answer.headers.update(_PRIVATE)
    return answer


def sample(view: str, language: str, setting: Setting | None, shop: str, picture: str) -> Template:
    """Return the page as customers see it, for staff to look at."""
    chosen = setting or Setting(method="page", proof="email", texts={})
    if view not in ("linked", "login"):
        view = "form" if chosen.method == "page" else "site"
    return _page(
        view,
        Words(language, chosen.texts),
        shop=shop,
        picture=picture,
        proof=chosen.proof,
        number=service.masked("0012345678"),
        since=_day(now(), "Asia/Tokyo", language),
        is_preview=True,
    )


def _message(words: Words, phrase: str) -> Template:
    return _page("message", words, said=phrase)


def _missing(words: Words, number: str, given: str, proof: str) -> dict[str, str]:
    errors: dict[str, str] = {}
    for name, value in (("number", number), ("proof", given)):
        if not value.strip():
            errors[name] = words("fill_in")
        elif len(value) > MAX_NUMBER:
            errors[name] = words("too_long", most=str(MAX_NUMBER))
    if proof == "birthday" and "proof" not in errors:
        try:
            date.fromisoformat(given.strip())
        except ValueError:
            errors["proof"] = words("bad_day")
    return errors


async def _words(session: WorkspaceSession, request: WebRequest, visit: Visit) -> Words:
    return await words_for(
        session,
        visit.contact_id,
        wanted=visit.language,
        accepted=request.headers.get("accept-language", ""),
    )


def _browsers(request: WebRequest) -> str:
    for part in request.headers.get("accept-language", "").split(","):
        if language := language_of(part.partition(";")[0]):
            return language
    return "ja"


def _day(moment: Any, timezone: str, language: str) -> str:
    from zoneinfo import ZoneInfo

    from babel.dates import format_date

    local = moment.astimezone(ZoneInfo(timezone)).date()
    return format_date(local, format="long", locale=language.replace("zh-TW", "zh_Hant_TW"))


def _changed(visit: Visit, **changes: Any) -> Visit:
    from dataclasses import replace

    return replace(visit, **changes)


HANDLERS = [
    come_by_message,
    come_by_place,
    show_me,
    link_me,
    go_to_site,
    unlink_me,
    log_in,
    come_back,
]
