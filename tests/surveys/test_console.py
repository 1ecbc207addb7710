"""The pages and the API of surveys, rules and webhooks, through the whole application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from conftest import Shop
from console import Console, console
from ingest.line_side import Person, deliver, make_channel


@pytest.fixture
async def app(db: str) -> AsyncIterator[Console]:
    async with console() as made:
        yield made


SURVEY: dict[str, Any] = {
    "name": "お好み",
    "questions": [
        {"kind": "choice", "title": "辛さは?", "choices": [{"label": "甘口"}, {"label": "辛口"}]},
        {"kind": "text", "title": "ご意見は?"},
    ],
}


async def test_a_surveys_life_over_the_api(shop: Shop, app: Console) -> None:
    api = await app.program(shop)
    made = await api.post("/api/v1/surveys", json=SURVEY)
    assert made.status_code == 201, made.text
    survey = made.json()
    here = f"/api/v1/surveys/{survey['id']}"
    assert survey["state"] == "draft"
    assert (await api.post(f"{here}/close")).status_code == 409
    assert (await api.post(f"{here}/publish")).json()["state"] == "live"
    body = {key: survey[key] for key in ("name", "intro", "thanks", "questions", "finish_actions")}
    body["questions"][0]["title"] = "お好みの辛さは?"
    changed = (await api.put(here, json=body)).json()
    assert changed["questions"][0]["id"] == survey["questions"][0]["id"]
    assert changed["questions"][0]["choices"] == survey["questions"][0]["choices"]
    assert (await api.get(f"{here}/results")).json()["started"] == 0
    assert (await api.get(f"{here}/questions/{survey['questions'][1]['id']}/answers")).json() == {
        "items": [],
        "next": None,
    }
    assert [one["id"] for one in (await api.get("/api/v1/surveys")).json()["items"]] == [
        survey["id"]
    ]
    ready = (await api.get("/api/v1/surveys/ready")).json()
    assert (await api.post("/api/v1/surveys", json=ready[0]["survey"])).status_code == 201
    assert (await api.post(f"{here}/duplicate")).status_code == 201
    assert (await api.delete(here)).status_code == 204
    assert (await api.get(here)).status_code == 404


async def test_errors_name_their_field(shop: Shop, app: Console) -> None:
    api = await app.program(shop)
    empty = (await api.post("/api/v1/surveys", json={"name": "空"})).json()
    refused = await api.post(f"/api/v1/surveys/{empty['id']}/publish")
    assert refused.status_code == 422
    assert [field["path"] for field in refused.json()["error"]["fields"]] == ["questions"]
    long = SURVEY | {
        "questions": [SURVEY["questions"][0] | {"choices": [{"label": "あ" * 21}, {"label": "b"}]}]
    }
    refused = await api.post("/api/v1/surveys", json=long, headers={"accept-language": "en"})
    [field] = refused.json()["error"]["fields"]
    assert field["path"] == "questions.0.choices.0.label"
    assert "at most 20 characters" in field["message"]


async def test_rules_over_the_api(shop: Shop, app: Console) -> None:
    api = await app.program(shop)
    kinds = {kind["name"] for kind in (await api.get("/api/v1/action-kinds")).json()}
    assert {"send", "tag_add", "survey_start"} <= kinds
    events = {kind["name"]: kind for kind in (await api.get("/api/v1/event-kinds")).json()}
    assert events["survey_finish"]["subject"] == "survey"
    survey = (await api.post("/api/v1/surveys", json=SURVEY)).json()
    given = {
        "name": "あいさつ",
        "event_kind": "follow",
        "actions": [{"kind": "survey_start", "survey_id": survey["id"]}],
    }
    made = await api.post("/api/v1/rules", json=given)
    assert made.status_code == 201, made.text
    here = f"/api/v1/rules/{made.json()['id']}"
    assert (await api.get(here)).json() == made.json()
    assert (await api.put(here, json=given | {"is_on": False})).json()["is_on"] is False
    refused = await api.delete(f"/api/v1/surveys/{survey['id']}")
    assert refused.status_code == 409
    assert (await api.delete(here)).status_code == 204
    assert (await api.delete(f"/api/v1/surveys/{survey['id']}")).status_code == 204


async def test_webhook_events_over_the_api(shop: Shop, app: Console) -> None:
    channel = await make_channel(shop.workspace_id)
    event = Person(channel).event("follow", follow={"isUnblocked": False})
    await deliver(channel, event)
    api = await app.program(shop)
    [one] = (await api.get("/api/v1/webhook-events", params={"status": "waiting"})).json()["items"]
    assert one["payload"] == event
    here = f"/api/v1/webhook-events/{channel.id}/{one['event_id']}"
    assert (await api.get(here)).json() == one
    assert (await api.post(f"{here}/run")).status_code == 409
    assert (await api.get("/api/v1/webhook-events?status=x")).status_code == 422


@pytest.mark.parametrize("locale", ["ja", "en"])
async def test_every_page_is_drawn(shop: Shop, app: Console, locale: str) -> None:
    channel = await make_channel(shop.workspace_id)
    person = Person(channel)
    owner, api = await app.person(shop, locale=locale), await app.program(shop)
    for empty in ("/rules", "/surveys", "/settings/webhooks"):
        assert (await owner.get(empty)).status_code == 200
    survey = (await api.post("/api/v1/surveys", json=SURVEY)).json()
    start = {"kind": "survey_start", "survey_id": survey["id"]}
    rule = {"name": "x", "event_kind": "follow", "actions": [start]}
    rule = (await api.post("/api/v1/rules", json=rule)).json()
    about = {"name": "y", "event_kind": "survey_finish", "event_subject": survey["id"]}
    await api.post("/api/v1/rules", json=about | {"actions": [start]})
    draft = await owner.get(f"/surveys/{survey['id']}")
    assert draft.status_code == 200
    await api.post(f"/api/v1/surveys/{survey['id']}/publish")
    await person.taps(await person.follow(), "甘口")
    await person.types("おいしい")
    question = survey["questions"][1]["id"]
    for url in (
        "/rules",
        "/rules?q=x",
        "/rules?q=zzz",
        f"/rules/{rule['id']}",
        "/rules/new",
        "/rules/subject?event_kind=survey_finish",
        "/surveys",
        "/surveys?q=zzz",
        "/surveys/new",
        "/surveys/new?ready=wedding_status",
        f"/surveys/{survey['id']}",
        f"/surveys/{survey['id']}/edit",
        f"/surveys/{survey['id']}/edit?check=1",
        f"/surveys/{survey['id']}/answers/{question}",
        f"/surveys/{survey['id']}/answers.csv",
        "/settings/webhooks",
        "/settings/webhooks?kind=follow&status=handled",
    ):
        answer = await owner.get(url)
        assert answer.status_code in (200, 422), (url, answer.text[-500:])
        assert "style=" not in answer.text.replace("data-lp-style=", "")


async def test_the_editor_by_its_buttons(shop: Shop, app: Console) -> None:
    owner = await app.person(shop)
    form = {
        "name": "手で作る",
        "questions.0.id": "one",
        "questions.0.kind": "choice",
        "questions.0.title": "色は?",
        "questions.0.presentation": "buttons",
        "questions.0.attribute_id": "",
        "questions.0.choices.0.id": "aaaaaa",
        "questions.0.choices.0.label": "赤",
        "questions.0.choices.1.id": "bbbbbb",
        "questions.0.choices.1.label": "青" * 21,
        "_show": "0",
    }
    drawn = await owner.form("/surveys/draw?do=choice&at=questions.0", form)
    assert 'name="questions.0.choices.2.label"' in drawn.text
    drawn = await owner.form("/surveys/draw?do=down&at=questions.0.choices.0", form)
    assert drawn.text.index("青青") < drawn.text.index('value="赤"')
    phone = await owner.form("/surveys/preview", form)
    assert "色は?" in phone.text
    refused = await owner.form("/surveys/new", form | {"_then": "publish"})
    assert refused.status_code == 422
    assert "LINEのボタンに表示できるのは20文字まで" in refused.text
    assert "手で作る" in refused.text
    assert "手で作る" not in (await owner.get("/surveys")).text
    saved = await owner.form(
        "/surveys/new", form | {"questions.0.choices.1.label": "青", "_then": "publish"}
    )
    assert saved.status_code == 303, saved.text
    page = await owner.get(saved.headers["location"])
    assert "公開中" in page.text


async def test_the_actions_editor(shop: Shop, app: Console) -> None:
    owner = await app.person(shop)
    name = "questions.3.choices.1.actions"
    drawn = await owner.form(f"/actions/editor?name={name}&do=add&kind=tag_add")
    assert f'name="{name}.0.tag_id"' in drawn.text
    form = {f"{name}.0.kind": "tag_add", f"{name}.0.tag_id": "x", f"{name}.1.kind": "survey_start"}
    drawn = await owner.form(f"/actions/editor?name={name}&do=up&at=1", form)
    assert drawn.text.index("survey_start") < drawn.text.index("tag_id")


async def test_a_viewer_changes_nothing(shop: Shop, app: Console) -> None:
    viewer, api = await app.person(shop, "viewer"), await app.program(shop, "viewer")
    assert (await viewer.get("/rules")).status_code == 200
    assert (await viewer.get("/rules/new")).status_code == 403
    assert (await viewer.form("/rules/new", {"name": "x"})).status_code == 403
    assert (await viewer.get("/surveys/new")).status_code == 403
    assert (await api.post("/api/v1/surveys", json=SURVEY)).status_code == 403
