"""Narrowcast: who gets it, what becomes of the quota, and how its status goes."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime

import aiohttp
import pytest
from tests.line_emulator.conftest import Api

from line_emulator import Emulator
from line_emulator.pace import Pace

TEXT = {"type": "text", "text": "会員さまだけに"}
PATH = "/v2/bot/message/narrowcast"
PROGRESS = "/v2/bot/message/progress/narrowcast"
AUDIENCES = "/v2/bot/audienceGroup"


@pytest.fixture
async def frozen(line):
    """The clock stands, so that nothing goes on before the test says so."""
    await line.clock(freeze=1_764_000_000.25)


async def friends(line, count, **more):
    return [one["id"] for one in await line.create_users(count, state="friend", **more)]


async def send(api, *, retry_key=None, **body):
    headers = {"X_Line_Retry_Key": retry_key} if retry_key else {}
    return await api.call("POST", PATH, {"messages": [TEXT]} | body, **headers)


async def accepted(api, **body):
    answer = await send(api, **body)
    assert (answer.status, answer.json) == (202, {}), answer.json
    return answer.headers["x-line-request-id"]


async def progress(api, request):
    answer = await api.call("GET", f"{PROGRESS}?requestId={request}")
    assert answer.status == 200, answer.json
    return answer.json


async def pass_time(line, seconds=60):
    await line.clock(advance=seconds)
    for _ in range(20):
        if not (await line.state())["duties_pending"]:
            break
        await line.clock(advance=1)


async def until_done(api, request):
    for _ in range(400):
        status = await progress(api, request)
        if status["phase"] == "succeeded":
            return status
        await asyncio.sleep(0.02)
    raise AssertionError(status)


async def finished(line, api, **body):
    """Send it, let it be done, and return its status."""
    request = await accepted(api, **body)
    await pass_time(line)
    return await progress(api, request)


async def audience(line, api, people, kind="UPLOAD"):
    """A ready audience of these people."""
    if kind == "UPLOAD":
        body = {"description": "x", "audiences": [{"id": one} for one in people]}
        answer = await api.call("POST", f"{AUDIENCES}/upload", body)
        await pass_time(line)
        return answer.json["audienceGroupId"]
    body = {"type": kind, "description": "x", "users": people}
    return (await line.call("POST", "/audiences", body))["audienceGroupId"]


def is_audience(number):
    return {"type": "audience", "audienceGroupId": number}


def op(kind, below):
    return {"type": "operator", kind: below}


async def reached(line, request=None):
    deliveries, _ = await line.deliveries_page(limit=10_000)
    return {one["user"] for one in deliveries
            if one["via"] == "narrowcast" and request in (None, one["request_id"])}  # fmt: skip


async def quota(line, limit):
    await line.update_channel((await line.channels())[0]["channel_id"], quota=limit)


async def used(api):
    return (await api.call("GET", "/v2/bot/message/quota/consumption")).json["totalUsage"]


# Phases


async def test_to_all_friends(line, api, frozen):
    people = await friends(line, 5)
    await line.block(people[0])
    await line.new_stranger()
    request = await accepted(api)
    assert await progress(api, request) == {
        "phase": "waiting",
        "acceptedTime": "2025-11-24T16:00:00.250Z",
    }
    assert await reached(line) == set()
    await line.clock(advance=10)
    assert await progress(api, request) == {
        "phase": "succeeded",
        "successCount": 4,
        "failureCount": 0,
        "targetCount": 4,
        "acceptedTime": "2025-11-24T16:00:00.250Z",
        "completedTime": "2025-11-24T16:00:10.250Z",
    }
    deliveries, _ = await line.deliveries_page()
    assert {one["user"] for one in deliveries} == set(people[1:])
    assert {(one["via"], one["request_id"]) for one in deliveries} == {("narrowcast", request)}
    assert len({tuple(one["message_ids"]) for one in deliveries}) == 1, "one sending for all"
    assert await line.received(people[1]) == [TEXT]
    assert await used(api) == 4


async def test_phase_sending_and_people_who_block_meanwhile(line, api, frozen):
    people = await friends(line, 100)
    await line.call("PATCH", "/pace", {"narrowcast_per_second": 10})
    request = await accepted(api)
    await line.clock(advance=0.5)
    during = await progress(api, request)
    assert during["phase"] == "sending"
    assert during["targetCount"] == 100
    assert 0 < during["successCount"] < 10
    assert "completedTime" not in during
    already = await reached(line)
    blocking = [one for one in people if one not in already][:7]
    await line.acts([{"user": one, "type": "unfollow"} for one in blocking])
    for _ in range(110):
        await line.clock(advance=0.1)
    after = await progress(api, request)
    assert after["phase"] == "succeeded"
    assert (after["successCount"], after["failureCount"]) == (93, 7)
    assert await reached(line) == set(people) - set(blocking)
    assert await used(api) == 93


async def test_slices_share_one_sending():
    """In this process, to look at the very objects: 2,500 phones hold one and the same sending."""
    async with Emulator(friends=2500) as emulator, aiohttp.ClientSession() as session:
        api = Api(emulator.url, emulator.channel.token, session)
        request = await accepted(api)
        emulator.platform.clock.advance(60)
        emulator.platform.agenda.wake()
        await until_done(api, request)
        phones = emulator.channel.phones.values()
        assert len({id(entry) for phone in phones for entry in phone.entries}) == 1
        assert [len(phone.entries) for phone in phones] == [1] * 2500
        assert emulator.platform.own_errors == 0


async def test_goes_on_after_a_restart(tmp_path):
    """Stopped in the middle of sending, it reaches the others later, each once, as one sending."""
    file = tmp_path / "state"
    async with (
        Emulator(friends=300, quota=300, state=file) as emulator,
        aiohttp.ClientSession() as session,
    ):
        api = Api(emulator.url, emulator.channel.token, session)
        emulator.platform.clock.freeze()
        emulator.platform.store.of(Pace).narrowcast_per_second = 1000
        request = await accepted(api)
        emulator.platform.clock.advance(0.45)
        emulator.platform.agenda.wake()
        await asyncio.sleep(0.2)
        during = await progress(api, request)
        assert (during["phase"], during["successCount"]) == ("sending", 200)
    async with Emulator(state=file) as emulator:
        async with aiohttp.ClientSession() as session:
            api = Api(emulator.url, emulator.channel.token, session)
            assert (await api.multicast([*emulator.platform.users][:101], TEXT)).status == 429
            emulator.platform.clock.advance(60)
            emulator.platform.agenda.wake()
            status = await until_done(api, request)
            assert (status["successCount"], status["targetCount"]) == (300, 300)
            assert await used(api) == 300
        phones = emulator.channel.phones.values()
        assert len({id(entry) for phone in phones for entry in phone.entries}) == 1
        assert [len(phone.entries) for phone in phones] == [1] * 300


async def test_status_for_fourteen_days(line, api, frozen):
    await friends(line, 1)
    request = await accepted(api)
    await pass_time(line, 14 * 86_400 - 60)
    assert (await progress(api, request))["phase"] == "succeeded"
    await line.clock(advance=200)
    answer = await api.call("GET", f"{PROGRESS}?requestId={request}")
    assert (answer.status, answer.json) == (404, {"message": "Not found"})


async def test_status_of_what_is_no_narrowcast(line, api):
    push = await api.push(await line.new_friend(), TEXT)
    for request in (push.headers["x-line-request-id"], str(uuid.uuid4())):
        answer = await api.call("GET", f"{PROGRESS}?requestId={request}")
        assert (answer.status, answer.json) == (404, {"message": "Not found"})
    for query in ("", "?requestId=", "?requestId=yamada"):
        assert (await api.call("GET", PROGRESS + query)).status == 400


async def test_retry_key(line, api):
    await friends(line, 2)
    key = str(uuid.uuid4())
    first = await send(api, retry_key=key)
    assert first.status == 202
    again = await send(api, retry_key=key)
    assert (again.status, again.json) == (409, {"message": "The retry key is already accepted"})
    original = first.headers["x-line-request-id"]
    assert again.headers["x-line-accepted-request-id"] == original
    await pass_time(line)
    assert await used(api) == 2


async def test_sixty_an_hour(api):
    assert [(await send(api)).status for _ in range(61)] == [202] * 60 + [429]


@pytest.mark.parametrize("code", [1, 3])
async def test_failures_on_demand(line, api, frozen, code):
    await friends(line, 3)
    await quota(line, 3)
    await line.call("PATCH", "/pace", {"fail_narrowcasts": 1, "narrowcast_error": code})
    failed = await finished(line, api)
    assert (failed["phase"], failed["errorCode"]) == ("failed", code)
    assert failed["failedDescription"]
    assert failed["completedTime"] > failed["acceptedTime"]
    assert await reached(line) == set()
    # What was reserved is given back.
    assert (await finished(line, api))["successCount"] == 3


# Recipients


async def test_audiences_with_operators(line, api, frozen):
    a, b, c, d = [await friends(line, 3) for _ in range(4)]
    one = await audience(line, api, a + b)
    two = await audience(line, api, b + c)

    async def who(recipient):
        request = await accepted(api, recipient=recipient)
        await pass_time(line)
        assert (await progress(api, request))["phase"] == "succeeded"
        return await reached(line, request)

    first, second = is_audience(one), is_audience(two)
    assert await who(first) == {*a, *b}
    assert await who(op("and", [first, second])) == set(b)
    assert await who(op("or", [first, second])) == {*a, *b, *c}
    assert await who(op("not", first)) == {*c, *d}
    assert await who(op("and", [first, op("not", second)])) == set(a)
    assert await who(op("not", op("or", [first, second]))) == set(d)
    assert await who(op("and", [op("or", [op("and", [first])])])) == {*a, *b}


async def test_only_friends_of_an_audience_get_it(line, api, frozen):
    people = await friends(line, 3)
    stranger = await line.new_stranger()
    await line.say(stranger, "a question opens pushes, not narrowcasts")
    members = await audience(line, api, [*people, stranger])
    await line.block(people[0])
    assert (await finished(line, api, recipient=is_audience(members)))["targetCount"] == 2
    assert await reached(line) == set(people[1:])


async def test_uploaded_ids_and_own_chat_tags_have_no_minimum(line, api, frozen):
    people = await friends(line, 2)
    for kind in ("UPLOAD", "CHAT_TAG"):
        members = await audience(line, api, people, kind)
        assert (await finished(line, api, recipient=is_audience(members)))["successCount"] == 2


@pytest.mark.parametrize(("count", "error"), [(49, 2), (50, None)])
async def test_other_audiences_need_fifty_recipients(line, api, frozen, count, error):
    people = await friends(line, 60)
    members = await audience(line, api, people, "RICHMENU_CLICK")
    await line.acts([{"user": one, "type": "unfollow"} for one in people[count:]])
    status = await finished(line, api, recipient=is_audience(members))
    assert status.get("errorCode") == error
    assert len(await reached(line)) == (0 if error else count)


async def test_nobody_is_left(line, api, frozen):
    person = await line.new_friend()
    members = await audience(line, api, [person])
    await line.block(person)
    assert (await finished(line, api, recipient=is_audience(members)))["errorCode"] == 2


async def test_each_of_several_audiences_needs_fifty(line, api, frozen):
    people = await friends(line, 120)
    big = await audience(line, api, people[:60], "IMP")
    small = await audience(line, api, people[60:109], "CLICK")
    few = await audience(line, api, people[110:112])
    both = op("or", [is_audience(big), is_audience(small)])
    assert (await finished(line, api, recipient=both))["errorCode"] == 4
    # Uploaded ids may be few, beside others and alone.
    allowed = op("or", [is_audience(big), is_audience(few)])
    assert (await finished(line, api, recipient=allowed))["successCount"] == 62


async def test_audiences_that_cannot_be_used(line, api):
    waiting = await api.call("POST", f"{AUDIENCES}/upload", {"description": "empty"})
    for number in (4389303728991, waiting.json["audienceGroupId"]):
        answer = await send(api, recipient=op("not", is_audience(number)))
        assert (answer.status, answer.json) == (
            400,
            {"message": f"Invalid audience group id: {number}"},
        )
    members = await audience(line, api, [await line.new_friend()])
    await line.clock(advance=181 * 86_400)
    assert (await send(api, recipient=is_audience(members))).status == 400


async def test_redelivery(line, api, frozen):
    people = await friends(line, 120)
    members = await audience(line, api, people[:60])
    request = await accepted(api, recipient=is_audience(members))
    again = {"type": "redelivery", "requestId": request}
    refused = await send(api, recipient=again)
    assert (refused.status, refused.json) == (400, {"message": f"Invalid request id: {request}"})
    await pass_time(line)
    repeat = await accepted(api, recipient=again)
    others = await accepted(api, recipient=op("not", again))
    await pass_time(line)
    assert await reached(line, repeat) == set(people[:60])
    assert await reached(line, others) == set(people[60:])
    await line.acts([{"user": one, "type": "unfollow"} for one in people[:11]])
    assert (await finished(line, api, recipient=again))["errorCode"] == 2
    push = await api.push(people[-1], TEXT)
    for wrong in (push.headers["x-line-request-id"], "yamada"):
        answer = await send(api, recipient=again | {"requestId": wrong})
        assert answer.json == {"message": f"Invalid request id: {wrong}"}
    await line.clock(advance=14 * 86_400)
    assert (await send(api, recipient=again)).status == 400


# Attributes


PEOPLE = [
    {"gender": "male", "age": 22, "appType": "ios", "area": "jp_05", "subscriptionPeriod": 10},
    {"gender": "female", "age": 37, "appType": "android", "area": "jp_23",
     "subscriptionPeriod": 400},
    {"gender": "unknown", "age": "unknown", "appType": "others", "area": "unknown",
     "subscriptionPeriod": 0},
]  # fmt: skip


@pytest.mark.parametrize(
    ("tree", "kinds"),
    [
        ({"type": "gender", "oneOf": ["male"]}, [0]),
        ({"type": "gender", "oneOf": ["male", "female"]}, [0, 1]),
        (op("not", {"type": "gender", "oneOf": ["male"]}), [1, 2]),
        ({"type": "age", "gte": "age_20", "lt": "age_25"}, [0]),
        ({"type": "age", "lt": "age_70"}, [0, 1]),
        ({"type": "age", "gte": "age_35"}, [1]),
        ({"type": "appType", "oneOf": ["ios", "android"]}, [0, 1]),
        ({"type": "area", "oneOf": ["jp_23", "tw_01"]}, [1]),
        ({"type": "subscriptionPeriod", "gte": "day_7", "lt": "day_30"}, [0]),
        ({"type": "subscriptionPeriod", "lt": "day_7"}, [2]),
        ({"type": "subscriptionPeriod", "gte": "day_365"}, [1]),
        (op("and", [{"type": "gender", "oneOf": ["female"]},
                    {"type": "age", "gte": "age_35"}]), [1]),
        (op("or", [{"type": "gender", "oneOf": ["female"]},
                   {"type": "age", "lt": "age_25"}]), [0, 1]),
    ],
)  # fmt: skip
async def test_attributes(line, api, frozen, tree, kinds):
    groups = [await friends(line, 50, attributes=kind) for kind in PEOPLE]
    request = await accepted(api, filter={"demographic": tree})
    await pass_time(line)
    assert (await progress(api, request))["phase"] == "succeeded"
    assert await reached(line, request) == {one for kind in kinds for one in groups[kind]}


async def test_edges_of_ages_and_days(line, api, frozen):
    young = await friends(line, 50, attributes={"age": 19, "subscriptionPeriod": 29})
    older = await friends(line, 50, attributes={"age": 20, "subscriptionPeriod": 30})
    for tree, wanted in (
        ({"type": "age", "lt": "age_20"}, young),
        ({"type": "age", "gte": "age_20"}, older),
        ({"type": "subscriptionPeriod", "lt": "day_30"}, young),
        ({"type": "subscriptionPeriod", "gte": "day_30"}, older),
    ):
        request = await accepted(api, filter={"demographic": tree})
        await pass_time(line)
        assert await reached(line, request) == set(wanted)


@pytest.mark.parametrize(("count", "status"), [(99, 403), (100, 202)])
async def test_attributes_need_a_reach_of_a_hundred(line, api, count, status):
    people = await friends(line, count + 1)
    await line.block(people[0])
    answer = await send(api, filter={"demographic": {"type": "gender", "oneOf": ["male"]}})
    assert answer.status == status
    if status == 403:
        assert answer.json == {"message": "Your account does not have enough friends"}
    # Without attributes the reach does not matter.
    assert (await send(api)).status == 202


async def test_attributes_need_fifty_recipients(line, api, frozen):
    await friends(line, 49, attributes={"gender": "male"})
    await friends(line, 70, attributes={"gender": "female"})
    tree = {"type": "gender", "oneOf": ["male"]}
    failed = await finished(line, api, filter={"demographic": tree})
    assert (failed["phase"], failed["errorCode"]) == ("failed", 2)
    await friends(line, 1, attributes={"gender": "male"})
    status = await finished(line, api, filter={"demographic": tree})
    assert (status["phase"], status["successCount"]) == ("succeeded", 50)


async def test_audience_and_attributes(line, api, frozen):
    men = await friends(line, 60, attributes={"gender": "male"})
    women = await friends(line, 60, attributes={"gender": "female"})
    members = await audience(line, api, men[:55] + women)
    request = await accepted(
        api,
        recipient=is_audience(members),
        filter={"demographic": {"type": "gender", "oneOf": ["male"]}},
    )
    await pass_time(line)
    assert await reached(line, request) == set(men[:55])


# Limits and quota: the table of "Controlling the maximum number of messages to send"


@pytest.mark.parametrize(
    ("limit", "month", "outcome"),
    [
        (None, 90, 429),
        (None, 50, 429),
        (None, 100, 80),
        ({"upToRemainingQuota": True}, 90, 80),
        ({"upToRemainingQuota": True}, 50, 50),
        ({"upToRemainingQuota": True, "forbidPartialDelivery": True}, 90, 80),
        ({"upToRemainingQuota": True, "forbidPartialDelivery": True}, 50, "5"),
        ({"upToRemainingQuota": True, "max": 30}, 90, 30),
        ({"upToRemainingQuota": True, "max": 30}, 50, 30),
        ({"upToRemainingQuota": True, "max": 30, "forbidPartialDelivery": True}, 90, "5"),
        ({"max": 30}, 50, 30),
        ({"max": 60}, 50, 429),
        ({"max": 30}, None, 30),
        ({"upToRemainingQuota": True}, 0, 429),
    ],
)
async def test_limits(line, api, frozen, limit, month, outcome):
    people = await friends(line, 100)
    members = await audience(line, api, people[:80])
    await quota(line, month)
    body = {"recipient": is_audience(members)} | ({"limit": limit} if limit else {})
    if outcome == 429:
        answer = await send(api, **body)
        assert answer.json == {"message": "You have reached your monthly limit."}
        assert answer.status == 429
        return
    status = await finished(line, api, **body)
    if outcome == "5":
        assert (status["phase"], status["errorCode"]) == ("failed", 5)
        assert await used(api) == 0
    else:
        assert (status["successCount"], status["targetCount"]) == (outcome, outcome)
        assert await used(api) == outcome
        assert len(await reached(line)) == outcome


async def test_whom_the_limit_leaves_is_chosen_by_lot(line, api, frozen):
    people = await friends(line, 200)
    sets = []
    for _ in range(2):
        request = await accepted(api, limit={"max": 50})
        await pass_time(line)
        sets.append(await reached(line, request))
    assert [len(one) for one in sets] == [50, 50]
    assert sets[0] != sets[1]
    assert sets[0] != set(people[:50])


async def test_reserved_messages_cannot_be_sent_otherwise(line, api, frozen):
    people = await friends(line, 100)
    members = await audience(line, api, people[:10])
    await quota(line, 105)
    request = await accepted(api, recipient=is_audience(members))
    # Reserved for the whole reach, whoever will get it: five are left.
    assert (await api.multicast(people[:6], TEXT)).status == 429
    assert (await api.multicast(people[:5], TEXT)).status == 200
    assert (await send(api)).status == 429
    await pass_time(line)
    assert (await progress(api, request))["successCount"] == 10
    assert await used(api) == 15
    assert (await api.multicast(people[:90], TEXT)).status == 200
    assert (await api.push(people[0], TEXT)).status == 429


async def test_forbidding_partial_delivery_alone(api):
    answer = await send(api, limit={"forbidPartialDelivery": True})
    assert (answer.status, answer.json) == (400, {
        "message": "The option forbidPartialDelivery must be used with upToRemainingQuota."
    })  # fmt: skip


# Bodies


GENDER = {"type": "gender", "oneOf": ["male"]}
AN_AUDIENCE = {"type": "audience", "audienceGroupId": 1}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"recipient": {}}, "recipient.type"),
        ({"recipient": {"type": "everybody"}}, "recipient.type"),
        ({"recipient": {"type": "audience"}}, "recipient.audienceGroupId"),
        ({"recipient": {"type": "redelivery"}}, "recipient.requestId"),
        ({"recipient": {"type": "operator"}}, "recipient"),
        ({"recipient": op("and", []) | {"or": [AN_AUDIENCE]}}, "recipient"),
        ({"recipient": op("and", [])}, "recipient.and"),
        ({"recipient": op("or", [AN_AUDIENCE, {"type": "x"}])}, "recipient.or[1].type"),
        ({"recipient": op("or", [AN_AUDIENCE] * 11)}, "recipient"),
        ({"filter": {"demographic": {"type": "gender"}}}, "filter.demographic.oneOf"),
        ({"filter": {"demographic": {"type": "gender", "oneOf": []}}}, "filter.demographic.oneOf"),
        (
            {"filter": {"demographic": {"type": "gender", "oneOf": ["x"]}}},
            "filter.demographic.oneOf[0]",
        ),
        ({"filter": {"demographic": {"type": "age"}}}, "filter.demographic"),
        ({"filter": {"demographic": {"type": "age", "gte": "age_21"}}}, "filter.demographic.gte"),
        (
            {"filter": {"demographic": {"type": "age", "gte": "age_20", "lt": "age_20"}}},
            "filter.demographic.gte",
        ),
        (
            {"filter": {"demographic": {"type": "area", "oneOf": ["jp_48"]}}},
            "filter.demographic.oneOf[0]",
        ),
        ({"filter": {"demographic": op("and", [GENDER] * 11)}}, "filter.demographic"),
        ({"limit": {"max": 0}}, "limit.max"),
        ({"messages": [TEXT] * 6}, "messages"),
        ({"messages": None}, "messages"),
    ],
)
async def test_what_is_wrong_in_a_body(line, api, body, where):
    answer = await send(api, **body)
    assert answer.status == 400
    assert [one["property"] for one in answer.json["details"]] == [where], answer.json
    assert answer.json["message"] == "The request body has 1 error(s)"


@pytest.mark.parametrize(
    "body",
    [
        {"recipient": []},
        {"recipient": "all"},
        {"recipient": {"type": 5}},
        {"recipient": op("and", AN_AUDIENCE)},
        {"recipient": op("not", [AN_AUDIENCE])},
        {"recipient": {"type": "audience", "audienceGroupId": "1"}},
        {"filter": {"demographic": {"type": "gender", "oneOf": "male"}}},
        {"filter": 1},
        {"limit": []},
        {"limit": {"max": 1.5}},
        {"limit": {"upToRemainingQuota": "true"}},
    ],
)
async def test_what_cannot_be_read_in_a_body(api, body):
    answer = await send(api, **body)
    assert answer.status == 400
    assert "in the request body is invalid (line: -, column: -)" in answer.json["message"]


async def test_deep_and_wide_trees(line, api):
    members = await audience(line, api, [await line.new_friend()])
    tree = is_audience(members)
    for _ in range(46):
        tree = op("not", tree)
    assert (await send(api, recipient=tree)).status == 202
    for levels in (400, 1000):
        deep = (
            '{"type":"operator","not":' * levels
            + f'{{"type":"audience","audienceGroupId":{members}'
        )
        body = '{"messages":[{"type":"text","text":"x"}],"recipient":' + deep + "}" * (levels + 2)
        assert (await api.call("POST", PATH, data=body.encode())).status == 400
    wide = op("or", [op("not", is_audience(members)) for _ in range(20_000)])
    assert (await send(api, recipient=wide)).status == 400


async def test_ten_audiences_and_ten_filters(line, api):
    people = await friends(line, 100)
    members = await audience(line, api, people)
    answer = await send(
        api,
        recipient=op("or", [op("and", [is_audience(members)])] * 10),
        filter={"demographic": op("or", [op("not", GENDER)] * 10)},
    )
    assert answer.status == 202


async def test_validate_looks_at_messages_only(api):
    path = "/v2/bot/message/validate/narrowcast"
    answer = await api.call("POST", path, {"messages": [TEXT], "recipient": "whoever"})
    assert (answer.status, answer.json) == (200, {})
    answer = await api.call("POST", path, {"messages": [TEXT] * 6})
    assert answer.json["details"][0]["property"] == "messages"


async def test_a_deleted_audience_does_not_stop_what_was_accepted(line, api, frozen):
    people = await friends(line, 3)
    members = await audience(line, api, people[:2])
    request = await accepted(api, recipient=is_audience(members))
    assert (await api.call("DELETE", f"{AUDIENCES}/{members}")).status == 202
    await pass_time(line)
    assert await reached(line, request) == set(people[:2])


async def test_counted_by_day_and_in_time(line, api):
    """By the real clock: it is done in a moment, and the time is told in UTC."""
    await friends(line, 3)
    request = await accepted(api)
    status = await until_done(api, request)
    accepted_at = datetime.fromisoformat(status["acceptedTime"])
    assert datetime.fromisoformat(status["completedTime"]) >= accepted_at
    assert accepted_at.utcoffset().total_seconds() == 0
