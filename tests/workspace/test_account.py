"""First visit, log-in, profile, workspaces."""

from __future__ import annotations

import asyncio

import pytest
from argon2 import extract_parameters
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import func, select, update

from conftest import Shop, make_shop
from console import PASSWORD, Console, make_staff
from hiiki.db import everywhere
from hiiki.workspace import auth
from hiiki.workspace.models import LoginAttempt, LoginSession, Membership, Staff, Workspace

FIRST = {
    "workspace": "カレーの店",
    "name": "花子",
    "email": "Hanako@Example.com ",
    "password": "ten letters",
}


async def count(model: type) -> int:
    async with everywhere() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.parametrize("path", ["/", "/settings/staff", "/profile", "/login"])
async def test_the_first_visit_leads_to_the_welcome_page(app: Console, path: str) -> None:
    answer = await app.client().get(path)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/welcome"


async def test_the_first_visitor_becomes_the_owner_and_is_logged_in(app: Console) -> None:
    visitor = app.client()
    assert (await visitor.get("/welcome")).status_code == 200
    answer = await visitor.form("/welcome", FIRST)
    assert answer.status_code == 303
    page = await visitor.get("/settings/staff")
    assert page.status_code == 200
    assert "hanako@example.com" in page.text
    assert "カレーの店" in page.text
    again = app.client()
    assert (await again.get("/welcome")).headers["location"] == "/login"
    assert (await again.form("/welcome", FIRST)).headers["location"] == "/login"
    assert await count(Staff) == await count(Workspace) == 1


async def test_two_first_visitors_at_once_make_one_owner(app: Console) -> None:
    visitors = [app.client() for _ in range(4)]
    for visitor in visitors:
        await visitor.csrf()
    answers = await asyncio.gather(
        *(
            visitor.form("/welcome", {**FIRST, "email": f"v{number}@example.com"})
            for number, visitor in enumerate(visitors)
        )
    )
    assert await count(Staff) == await count(Workspace) == 1
    assert all(answer.status_code in (303, 409) for answer in answers)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("workspace", "", "入力してください"),
        ("workspace", "あ" * 81, "80"),
        ("email", "hanako", "メールアドレス"),
        ("email", "a b@example.com", "メールアドレス"),
        ("password", "short", "10"),
        ("password", "a" * 201, "200"),
        ("name", " ", "入力してください"),
    ],
)
async def test_a_bad_first_form_is_answered_at_the_field(
    app: Console, field: str, value: str, words: str
) -> None:
    visitor = app.client()
    answer = await visitor.form("/welcome", {**FIRST, field: value})
    assert answer.status_code == 422
    at = answer.text.index(f'id="f-{field}-error"')
    assert words in answer.text[at : at + 200]
    assert "ten letters" not in answer.text
    assert await count(Staff) == await count(Workspace) == 0


async def test_log_in_and_out(app: Console, shop: Shop) -> None:
    await make_staff(shop, email="hanako@example.com")
    browser = app.client()
    answer = await browser.get("/profile?tab=1")
    assert answer.headers["location"] == "/login?next=/profile%3Ftab%3D1"
    answer = await browser.form(
        "/login",
        {"email": " HANAKO@example.com", "password": PASSWORD, "next": "/profile?tab=1"},
    )
    assert answer.headers["location"] == "/profile?tab=1"
    cookie = next(
        value for value in answer.headers.get_list("set-cookie") if "hiiki_session" in value
    )
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert (await browser.get("/profile")).status_code == 200
    kept = browser.cookies["hiiki_session"]
    assert (await browser.form("/logout")).headers["location"] == "/login"
    browser.cookies["hiiki_session"] = kept
    assert (await browser.get("/profile")).status_code == 303
    assert await count(LoginSession) == 0


@pytest.mark.parametrize(
    "where", ["https://evil.example", "//evil.example", "/\\evil.example", "", "javascript:x"]
)
async def test_a_log_in_never_leads_elsewhere(app: Console, shop: Shop, where: str) -> None:
    await make_staff(shop, email="hanako@example.com")
    answer = await app.client().form(
        "/login", {"email": "hanako@example.com", "password": PASSWORD, "next": where}
    )
    assert answer.headers["location"] == "/"


async def test_the_cookie_is_not_in_the_database(app: Console, shop: Shop) -> None:
    browser = await app.person(shop)
    async with everywhere() as session:
        kept = await session.scalar(select(LoginSession.token_hash))
    assert kept is not None
    assert browser.cookies["hiiki_session"].encode() not in kept
    assert len(kept) == 32


async def test_an_old_log_in_has_ended(app: Console, shop: Shop) -> None:
    browser = await app.person(shop)
    assert (await browser.get("/profile")).status_code == 200
    async with everywhere() as session:
        await session.execute(
            update(LoginSession).values(expires_at=func.now() - func.make_interval(0, 0, 0, 0, 1))
        )
    assert (await browser.get("/profile")).status_code == 303


async def test_guessing_one_person_s_password_is_stopped(app: Console, shop: Shop) -> None:
    await make_staff(shop, email="hanako@example.com")
    browser = app.client()
    for number in range(5):
        answer = await browser.form(
            "/login",
            {"email": "hanako@example.com", "password": "wrong"},
            # From ever new addresses: it is the e-mail that is counted.
            headers={"x-forwarded-for": f"203.0.113.{number}"},
        )
        assert answer.status_code == 422
        assert "正しくありません" in answer.text
    answer = await browser.form("/login", {"email": "hanako@example.com", "password": PASSWORD})
    assert answer.status_code == 429
    assert "15分" in answer.text
    assert "hiiki_session" not in browser.cookies
    async with everywhere() as session:
        await session.execute(
            update(LoginAttempt).values(at=LoginAttempt.at - func.make_interval(0, 0, 0, 0, 0, 16))
        )
    answer = await browser.form("/login", {"email": "hanako@example.com", "password": PASSWORD})
    assert answer.status_code == 303


async def test_many_guesses_at_once_do_not_slip_past(app: Console, shop: Shop) -> None:
    await make_staff(shop, email="hanako@example.com")
    browser = app.client()
    await browser.csrf()
    answers = await asyncio.gather(
        *(
            browser.form("/login", {"email": "hanako@example.com", "password": f"guess {n}"})
            for n in range(12)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [422] * 5 + [429] * 7


async def test_trying_many_people_from_one_address_is_stopped(app: Console, shop: Shop) -> None:
    browser = app.client()
    async with everywhere() as session:
        session.add_all(LoginAttempt(key="address:203.0.113.9") for _ in range(30))
    answer = await browser.form(
        "/login",
        {"email": "new@example.com", "password": "x"},
        headers={"x-forwarded-for": "198.51.100.1, 203.0.113.9"},
    )
    assert answer.status_code == 429
    answer = await browser.form(
        "/login",
        {"email": "new@example.com", "password": "x"},
        headers={"x-forwarded-for": "203.0.113.9, 198.51.100.1"},
    )
    assert answer.status_code == 422


async def test_somebody_unknown_gets_the_same_words(app: Console, shop: Shop) -> None:
    await make_staff(shop, email="hanako@example.com")
    browser = app.client()
    known = await browser.form("/login", {"email": "hanako@example.com", "password": "wrong"})
    unknown = await browser.form("/login", {"email": "taro@example.com", "password": "wrong"})
    assert known.text.replace("hanako", "taro") == unknown.text


def test_somebody_unknown_takes_as_long_to_refuse() -> None:
    """Their hash is one that has to be computed to be found wrong."""
    nobody, anybody = auth.hash_of_nobody(), auth.hasher.hash("a password")
    assert extract_parameters(nobody) == extract_parameters(anybody)
    with pytest.raises(VerifyMismatchError):
        auth.hasher.verify(nobody, "a password")


async def test_a_changed_password_ends_the_other_sessions(app: Console, shop: Shop) -> None:
    staff_id = await make_staff(shop, email="hanako@example.com")
    from hiiki.workspace import auth

    here, there = app.client(), app.client()
    here.cookies["hiiki_session"] = await auth.start_session(staff_id)
    there.cookies["hiiki_session"] = await auth.start_session(staff_id)
    refused = await here.form("/profile/password", {"current": "no", "password": "another one!"})
    assert refused.status_code == 422
    assert (await there.get("/profile")).status_code == 200
    changed = await here.form(
        "/profile/password", {"current": PASSWORD, "password": "another one!"}
    )
    assert changed.status_code == 303
    assert (await here.get("/profile")).status_code == 200
    assert (await there.get("/profile")).status_code == 303


async def test_the_language_follows_the_person(app: Console, shop: Shop) -> None:
    browser = await app.person(shop, "viewer")
    assert "プロフィール" in (await browser.get("/profile")).text
    answer = await browser.form("/language", {"locale": "en", "next": "/profile"})
    assert answer.headers["location"] == "/profile"
    page = (await browser.get("/profile")).text
    assert "Your profile" in page
    assert '<html lang="en"' in page
    async with everywhere() as session:
        assert await session.scalar(select(Staff.locale)) == "en"
    assert (await browser.form("/language", {"locale": "xx"})).status_code == 404


async def test_one_person_in_two_workspaces(app: Console, shop: Shop) -> None:
    browser = await app.person(shop, "viewer")
    answer = await browser.form("/workspaces", {"workspace": "二号店"})
    assert answer.status_code == 303
    assert "二号店" in (await browser.get("/settings/workspace")).text
    answer = await browser.form(f"/workspaces/{shop.workspace_id}/open")
    assert answer.status_code == 303
    # Here they are a viewer again, and may not see the settings.
    assert (await browser.get("/settings/workspace")).status_code == 403
    stranger = await make_shop("よその店")
    assert (await browser.form(f"/workspaces/{stranger.workspace_id}/open")).status_code == 404


async def test_somebody_without_a_workspace_is_told_so(app: Console, shop: Shop) -> None:
    await make_staff(shop, email="hanako@example.com")
    browser = app.client()
    await browser.form("/login", {"email": "hanako@example.com", "password": PASSWORD})
    async with everywhere() as session:
        await session.delete(await session.scalar(select(Membership)))
    assert (await browser.get("/profile")).status_code == 303
    answer = await browser.form("/login", {"email": "hanako@example.com", "password": PASSWORD})
    assert answer.status_code == 422
    assert "ワークスペース" in answer.text
