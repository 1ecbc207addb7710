"""What official SDKs of other languages send and Python's does not."""

from __future__ import annotations

import pytest

HI = {"type": "text", "text": "hi"}


async def test_an_empty_retry_key_is_none(line, api):
    # Go: `bot.PushMessage(request, "")` sends the header without a value.
    friend = await line.new_friend()
    body = {"to": friend, "messages": [HI]}
    for _ in range(2):
        answer = await api.call("POST", "/v2/bot/message/push", body, X_Line_Retry_Key="")
        assert answer.status == 200, answer.json
    assert len(await line.received(friend)) == 2
    # Also where no retry key is understood.
    assert (await api.call("GET", "/v2/bot/info", X_Line_Retry_Key="")).status == 200
    assert (await api.call("GET", "/v2/bot/info", X_Line_Retry_Key=" x")).status == 400


async def test_an_empty_delivery_tag_is_none(line, api, bot):
    await line.call("PATCH", "/contracts", {"notification": True})
    friend = await line.new_friend()
    phone = await line.call("GET", f"/users/{friend}/telephone")
    body = {"to": phone["sha256"], "messages": [HI]}
    answer = await api.call("POST", "/bot/pnp/push", body, X_Line_Delivery_Tag="")
    assert answer.status == 200, answer.json
    answer = await api.call("POST", "/bot/pnp/push", body, X_Line_Delivery_Tag="tag-0123456789ab")
    assert answer.status == 200
    await line.wait_webhooks_done()
    # Without a tag the hash of the number stands for it.
    told = [event["delivery"]["data"] for event in bot.events if event["type"] == "delivery"]
    assert told == [phone["sha256"], "tag-0123456789ab"]


@pytest.mark.parametrize("query", ["status=&createRoute=", "status=", "createRoute=&size=20"])
async def test_an_empty_choice_is_none(api, query):
    # Go has no way to leave an enumerated query parameter away.
    body = {"description": "常連"}
    made = await api.call("POST", "/v2/bot/audienceGroup/upload", body)
    for path in ("list", "shared/list"):
        path = f"/v2/bot/audienceGroup/{path}?page=1&includesOwnedAudienceGroups=true&{query}"
        answer = await api.call("GET", path)
        assert answer.status == 200, answer.json
        listed = [one["audienceGroupId"] for one in answer.json["audienceGroups"]]
        assert listed == [made.json["audienceGroupId"]]


@pytest.mark.parametrize(
    ("value", "there"), [("1", 1), ("true", 1), ("0", 0), ("false", 0), ("", 0)]
)
async def test_yes_and_no_as_numbers(api, value, there):
    # PHP writes booleans of a query as 1 and 0.
    await api.call("POST", "/v2/bot/audienceGroup/upload", {"description": "常連"})
    path = f"/v2/bot/audienceGroup/shared/list?page=1&includesOwnedAudienceGroups={value}"
    answer = await api.call("GET", path)
    assert answer.status == 200, answer.json
    assert answer.json["totalCount"] == there
    path = f"/v2/bot/audienceGroup/list?page=1&includesExternalPublicGroups={value}"
    assert (await api.call("GET", path)).json["totalCount"] == 1


async def test_a_quick_reply_whose_type_is_left_away(line, api, bot):
    # Go's structures have no default for it; LINE's specification has.
    friend = await line.new_friend()
    action = {"type": "message", "label": "はい", "text": "はい、お願いします"}
    asked = HI | {"quickReply": {"items": [{"action": action}]}}
    assert (await api.push(friend, asked)).status == 200
    assert (await line.tap(friend, label="はい"))["ok"]
    await line.wait_webhooks_done()
    assert bot.events[-1]["message"]["text"] == "はい、お願いします"
