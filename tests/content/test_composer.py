"""The composer's fragments, images, and the checks of drafts over the API."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select

from conftest import Shop, make_shop
from console import Client, Console, console
from hiiki.broadcasts.models import Broadcast
from hiiki.content import composer, media
from hiiki.content.models import Link, Media
from hiiki.db import scope
from hiiki.kit.errors import Invalid
from hiiki.kit.forms import nested
from hiiki.settings import settings
from hiiki.workspace.models import AuditEntry, Channel


@pytest.fixture
async def app(db: str) -> AsyncIterator[Console]:
    async with console() as made:
        yield made


@pytest.fixture
async def operator(app: Console, shop: Shop) -> Client:
    return await app.person(shop, "operator")


def picture(size: tuple[int, int] = (800, 600), kind: str = "PNG", mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "#336699").save(out, kind)
    return out.getvalue()


_TEXTAREA = re.compile(r'<textarea[^>]*name="(draft[^"]+)"[^>]*>\n(.*?)</textarea>', re.S)


def fields(html: str) -> dict[str, str]:
    """The names and values of a drawn composer, as a browser would send them."""
    found = dict(re.findall(r'name="(draft[^"]+)"[^>]*value="([^"]*)"', html))
    found |= {
        name: body.strip()
        for name, body in re.findall(
            r'<textarea[^>]*name="(draft[^"]+)"[^>]*>\n(.*?)</textarea>', html, re.S
        )
    }
    return found


async def test_adding_moving_and_removing_keep_what_was_typed(operator: Client) -> None:
    form = {"draft.blocks.0.kind": "text", "draft.blocks.0.text": "あ"}
    for kind in ("card", "image", "coupon", "text"):
        answer = await operator.form(f"/content/composer?path=draft&do=add&at=0&kind={kind}", form)
        assert answer.status_code == 200
        form = fields(answer.text)
    kinds = [form[f"draft.blocks.{n}.kind"] for n in range(5)]
    assert kinds == ["text", "card", "image", "coupon", "text"]
    assert form["draft.blocks.0.text"] == "あ"
    sixth = await operator.form("/content/composer?path=draft&do=add&at=0&kind=text", form)
    assert "draft.blocks.5.kind" not in fields(sixth.text)
    assert "5つまで" in sixth.text
    moved = await operator.form("/content/composer?path=draft&do=down&at=0", form)
    assert fields(moved.text)["draft.blocks.1.text"] == "あ"
    removed = await operator.form("/content/composer?path=draft&do=remove&at=1", fields(moved.text))
    assert "あ" not in fields(removed.text).values()


async def test_it_speaks_the_readers_language(app: Console, shop: Shop) -> None:
    words = {"ja": "ボタン付きカード", "en": "Card with buttons"}
    for locale in ("ja", "en", "ja"):
        client = await app.person(shop, "operator", locale=locale)
        answer = await client.form("/content/composer?path=draft&do=add&kind=text", {})
        assert words[locale] in answer.text


async def test_paths_may_be_deep_and_bad_ones_do_no_harm(operator: Client) -> None:
    form = {"actions.1.draft.blocks.0.kind": "text", "actions.1.draft.blocks.0.text": "ほ"}
    deep = await operator.form("/content/composer?path=actions.0.draft&do=add&kind=card", form)
    assert 'name="actions.0.draft.blocks.1.kind"' in deep.text
    for query in (
        "path=nowhere",
        "path=draft&do=explode&at=99",
        "path=draft.blocks.0.text&do=up&at=3",
        "path=draft&do=remove_button&at=0&button=9",
    ):
        answer = await operator.form(f"/content/composer?{query}", {"draft.blocks.0.kind": "x"})
        assert answer.status_code == 200


async def test_the_phone_shows_what_is_right_of_a_half_written_message(
    operator: Client, shop: Shop
) -> None:
    answer = await operator.form(
        "/content/preview?path=draft",
        {
            "draft.blocks.0.kind": "text",
            "draft.blocks.0.text": "{{ name | default: 'x' }}さん <b>太字</b>",
            "draft.blocks.1.kind": "card",
            "draft.blocks.1.text": "",
            "draft.blocks.2.kind": "coupon",
            "draft.blocks.2.coupon_id": str(uuid.uuid4()),
            "draft.blocks.3.kind": "text",
            "draft.blocks.3.text": "{{ 途中",
        },
    )
    assert answer.status_code == 200
    assert "花子さん" in answer.text
    assert "<b>太字" not in answer.text
    assert "{{ 途中" in answer.text
    async with scope(shop.workspace_id) as session:
        assert (await session.scalars(select(Link))).all() == []


async def test_an_image_uploaded_in_the_composer_is_chosen_there(
    operator: Client, shop: Shop
) -> None:
    token = await operator.csrf()
    data = {"_csrf_token": token, "draft.blocks.0.kind": "image"}
    answer = await operator.post(
        "/content/composer?path=draft&do=upload&at=0",
        data=data,
        files={"file": ("a.png", picture(), "image/png")},
    )
    async with scope(shop.workspace_id) as session:
        (made,) = (await session.scalars(select(Media))).all()
        audited = await session.scalar(select(AuditEntry.action))
    assert f'<option value="{made.id}" selected>' in answer.text
    assert audited == "media.create"
    wrong = await operator.post(
        "/content/composer?path=draft&do=upload&at=0",
        data=data,
        files={"file": ("a.png", b"no image", "image/png")},
    )
    assert "画像として読み込めません" in wrong.text


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_images_of_every_kind_become_what_line_takes(kind: str) -> None:
    ready = media.prepare(picture((3000, 1500), kind))
    assert ready.content_type == "image/jpeg"
    assert (ready.width, ready.height) == (2048, 1024)
    small = Image.open(io.BytesIO(ready.preview))
    assert small.width <= media.PREVIEW_WIDTH
    assert len(ready.preview) < 1_000_000


def test_transparency_stays_and_orientation_and_place_do_not() -> None:
    clear = media.prepare(picture((50, 50), "PNG", "RGBA"))
    assert clear.content_type == "image/png"
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010F] = "a camera"
    Image.new("RGB", (40, 20)).save(out, "JPEG", exif=exif)
    turned = media.prepare(out.getvalue())
    assert (turned.width, turned.height) == (20, 40)
    assert b"a camera" not in turned.body
    assert not Image.open(io.BytesIO(turned.body)).getexif()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 50,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<script>alert(1)</script>",
        picture()[:200],
    ],
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        media.prepare(data)
    assert list(caught.value.fields) == ["file"]


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    assert len(out.getvalue()) < 100_000
    with pytest.raises(Invalid):
        media.prepare(out.getvalue())


async def test_the_library_lists_serves_and_deletes(
    app: Console, operator: Client, shop: Shop, other_shop: Shop
) -> None:
    token = await operator.csrf()
    await operator.post(
        "/library",
        data={"_csrf_token": token},
        files={"file": ("<b>店</b>.png", picture(), "image/png")},
    )
    page = await operator.get("/library")
    assert "&lt;b&gt;店&lt;/b&gt;.png" in page.text
    async with scope(shop.workspace_id) as session:
        (made,) = (await session.scalars(select(Media))).all()
    visitor = app.client()
    image = await visitor.get(f"/media/{made.key}")
    assert image.headers["content-type"] == "image/jpeg"
    assert "immutable" in image.headers["cache-control"]
    assert (await visitor.get(f"/media/{made.key}/preview")).status_code == 200
    again = await visitor.get(
        f"/media/{made.key}", headers={"if-none-match": image.headers["etag"]}
    )
    assert again.status_code == 304
    assert (await visitor.get("/media/unknown")).status_code == 404
    # In use, it stays; another shop and a viewer cannot touch it.
    async with scope(shop.workspace_id) as session:
        channel = Channel(
            name="店",
            line_channel_id="1",
            provider="p",
            sealed_secret=b"",
            sealed_token=b"",
            webhook_key="k",
        )
        session.add(channel)
        await session.flush()
        draft = {"blocks": [{"kind": "image", "media_id": str(made.id)}]}
        used = Broadcast(name="使用中", channel_id=channel.id, draft=draft)
        session.add(used)
    assert (await operator.form(f"/library/{made.id}/delete")).status_code == 409
    stranger = await app.person(other_shop)
    assert (await stranger.form(f"/library/{made.id}/delete")).status_code == 404
    viewer = await app.person(shop, "viewer")
    assert (await viewer.form(f"/library/{made.id}/delete")).status_code == 403
    assert (await viewer.get("/library")).status_code == 200
    async with scope(shop.workspace_id) as session:
        await session.delete(await session.one(Broadcast, used.id))
    assert (await operator.form(f"/library/{made.id}/delete")).status_code == 303
    assert (await visitor.get(f"/media/{made.key}")).status_code == 404


async def test_drafts_are_checked_over_the_api(app: Console, shop: Shop) -> None:
    program = await app.program(shop, "viewer")
    good = await program.post(
        "/api/v1/drafts/check", json={"blocks": [{"kind": "text", "text": "{{ name }}さん"}]}
    )
    assert good.status_code == 200
    assert good.json() == {
        "messages": [{"type": "text", "text": "{{ name }}さん"}],
        "personal": True,
    }
    for text, word in [
        ("😀" * 2501, "5,002"),
        ("{{ x", "{{ name }}"),
        ("{{ attributes.q }}あ", "q"),
    ]:
        bad = await program.post(
            "/api/v1/drafts/check",
            json={"blocks": [{"kind": "text", "text": text}]},
            headers={"accept-language": "ja"},
        )
        assert bad.status_code == 422
        (field,) = bad.json()["error"]["fields"]
        assert field["path"].endswith("blocks.0.text")
        assert word.replace(",", "") in field["message"].replace(",", "")


async def test_images_over_http_are_refused_with_what_to_do(
    app: Console, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = await app.program(shop)
    made = await program.post("/api/v1/media", files={"data": ("a.png", picture(), "image/png")})
    assert made.status_code == 201, made.text
    body = {
        "blocks": [{"kind": "image", "media_id": made.json()["id"], "url": "https://example.com/"}]
    }
    bad = await program.post("/api/v1/drafts/check", json=body)
    assert "HIIKI_PUBLIC_URL" in bad.text
    monkeypatch.setattr(settings(), "public_url", "https://crm.example.com")
    good = await program.post("/api/v1/drafts/check", json=body)
    assert good.json()["messages"][0]["contents"]["hero"]["aspectRatio"] == "800:600"
    listed = (await program.get("/api/v1/media?q=a.p")).json()["items"]
    assert [one["id"] for one in listed] == [made.json()["id"]]
    assert (await program.get(f"/api/v1/media/{uuid.uuid4()}")).status_code == 404
    assert (await program.delete(f"/api/v1/media/{made.json()['id']}")).status_code == 204


def test_drawing_copes_with_anything() -> None:
    for value in (None, "", [], {"blocks": "x"}, {"blocks": [1, {"kind": "no"}, {"kind": "card"}]}):
        drawn = composer.drawable(value)
        assert all(set(block) >= {"kind"} for block in drawn["blocks"])
    form = nested([("d.blocks.0.kind", "card"), ("d.blocks.0.buttons.0.label", "x")])
    drawn = composer.drawable(composer.at_path(form, "d"))
    assert drawn["blocks"][0]["buttons"] == [
        {"label": "x", "action": "link", "value": "", "tracked": True}
    ]
    deep: Any = composer.at_path(form, "d.blocks.7.buttons")
    assert deep is None


async def test_the_other_shops_images_are_not_offered(app: Console, shop: Shop) -> None:
    other = await make_shop("隣")
    async with scope(other.workspace_id) as session:
        theirs = await media.add(session, "秘密.png", picture())
    mine = await app.person(shop, "operator")
    answer = await mine.form("/content/composer?path=draft&do=add&kind=image", {})
    assert str(theirs.id) not in answer.text
    assert "秘密" not in answer.text
