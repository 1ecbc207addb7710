"""What the browser is told: the Content-Security-Policy, and pages that keep to it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hiiki
from conftest import Shop
from console import Console
from foreign import make_world
from hiiki.settings import settings
from routes import routes

PACKAGE = Path(hiiki.__file__).parent
INLINE = re.compile(
    r"<style|\sstyle\s*=|javascript:|hx-on|<script(?![^>]*\ssrc=)"
    r"|\son(click|load|change|submit|input|key\w*|mouse\w*|focus|blur|error)\s*=",
    re.IGNORECASE,
)


async def test_every_answer_has_the_headers(app: Console, shop: Shop) -> None:
    owner = await app.person(shop)
    paths = ["/profile", "/login", "/nothing", "/api/v1/me", "/healthz", "/settings/staff"]
    for path in paths:
        headers = (await owner.get(path)).headers
        policy = dict(
            part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == "'self'"
        assert policy["script-src"] == "'self'"
        assert policy["style-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert policy["object-src"] == "'none'"
        assert policy["base-uri"] == "'none'"
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "strict-origin-when-cross-origin"
        assert "strict-transport-security" not in headers
        assert headers["cache-control"] in ("private, no-cache", "no-store")


async def test_https_makes_cookies_secure(
    db: str, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console import PASSWORD, console, make_staff

    monkeypatch.setenv("HIIKI_PUBLIC_URL", "https://hiiki.example")
    settings.cache_clear()
    try:
        await make_staff(shop, email="hanako@example.com")
        async with console() as app:
            browser = app.client()
            browser.base_url = "https://hiiki.example"
            answer = await browser.get("/login")
            assert "max-age" in answer.headers["strict-transport-security"]
            answer = await browser.form(
                "/login", {"email": "hanako@example.com", "password": PASSWORD}
            )
            cookies = answer.headers.get_list("set-cookie")
            assert cookies
            assert all("Secure" in cookie and "HttpOnly" in cookie for cookie in cookies)
    finally:
        monkeypatch.undo()
        settings.cache_clear()


def test_no_template_has_inline_script_or_style() -> None:
    found = [
        (path.relative_to(PACKAGE), number, line.strip())
        for path in PACKAGE.glob("*/templates/**/*.html")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if INLINE.search(line)
    ]
    assert not found


async def test_no_page_has_inline_script_or_style(app: Console, shop: Shop) -> None:
    own = await make_world(shop)
    owner = await app.person(shop)
    found = []
    for route in routes(app.app, "pages"):
        if route.method != "GET":
            continue
        answer = await owner.get(route.url({**own, "key": "x"}))
        assert answer.status_code < 500, (str(route), answer.text[:300])
        if "text/html" in answer.headers.get("content-type", ""):
            found += [(str(route), found[0]) for found in INLINE.finditer(answer.text)]
    assert not found


async def test_every_page_is_drawn_in_both_languages(app: Console, shop: Shop) -> None:
    own = await make_world(shop)
    for locale in ("ja", "en"):
        owner = await app.person(shop, locale=locale)
        for route in routes(app.app, "pages"):
            if route.method == "GET":
                answer = await owner.get(route.url({**own, "key": "x"}))
                # 409: the file of an import is not kept for ever.
                said = (str(route), answer.text[:300])
                assert answer.status_code in (200, 204, 303, 404, 409), said
                if "<html" in answer.text:
                    assert f'<html lang="{locale}"' in answer.text, str(route)
                    assert re.search(r"<h1[ >]", answer.text), f"{route} has no h1"


async def test_assets_are_kept_for_long_and_packed(app: Console) -> None:
    browser = app.client()
    page = (await browser.get("/welcome")).text
    urls = re.findall(r'(?:href|src)="(/assets/[^"]+)"', page)
    assert len(urls) >= 5
    for url in urls:
        answer = await browser.get(url, headers={"accept-encoding": "gzip"})
        assert answer.status_code == 200, url
        assert "immutable" in answer.headers["cache-control"]
        assert "set-cookie" not in answer.headers
        if url.endswith((".css", ".js")):
            assert answer.headers["content-encoding"] == "gzip"
    old = await browser.get("/assets/0123456789ab/hiiki.css")
    assert old.status_code == 200
    assert "immutable" not in old.headers["cache-control"]
    for path in ("/assets/x/../app.py", "/assets/x/%2e%2e/app.py", "/assets/x/nothing.css"):
        assert (await browser.get(path)).status_code == 404


def test_every_icon_and_asset_that_is_named_exists() -> None:
    from hiiki.rooms import registry
    from hiiki.web.navigation import SECTIONS
    from hiiki.web.static import Assets

    icons = set(
        re.findall(
            r"\.ti-([a-z0-9-]+):before",
            (PACKAGE / "web/assets/vendor/tabler-icons.css").read_text(encoding="utf-8"),
        )
    )
    used = {(item.icon, item.url) for room in registry.rooms for item in room.nav}
    used |= {(section.icon, section.name) for section in SECTIONS}
    used |= {(kind.icon, kind.name) for kind in registry.events.values()}
    used |= {(kind.icon, kind.name) for kind in registry.actions.values()}
    assets = Assets()
    for path in PACKAGE.glob("*/templates/**/*.html"):
        text = path.read_text(encoding="utf-8")
        used |= {(name, path.name) for name in re.findall(r"ti-([a-z0-9-]+)[\" ]", text)}
        for name in re.findall(r"asset\(['\"]([^'\"]+)['\"]\)", text):
            assert name in assets.files, (path, name)
    assert not {(icon, where) for icon, where in used if icon not in icons}


def test_every_nav_item_is_in_a_known_section() -> None:
    from hiiki.rooms import registry
    from hiiki.web.navigation import SECTIONS

    known = {section.name for section in SECTIONS}
    assert not {
        (item.section, item.url)
        for room in registry.rooms
        for item in room.nav
        if item.section not in known
    }
