"""Audiences: made from ids, files, clicks and views; filled in the background; listed, expired."""

from __future__ import annotations

import uuid

import pytest

from line_emulator.audience.people import AREAS

TEXT = {"type": "text", "text": "新茶が入りました https://example.com/tea"}
PATH = "/v2/bot/audienceGroup"
MINUTES = 600


async def make(api, *people, description="常連", **more):
    body = {"description": description, "audiences": [{"id": one} for one in people]} | more
    answer = await api.call("POST", f"{PATH}/upload", body)
    assert answer.status == 202, answer.json
    return answer.json["audienceGroupId"]


async def get(api, audience):
    answer = await api.call("GET", f"{PATH}/{audience}")
    assert answer.status == 200, answer.json
    return answer.json


async def ready(line, api, *people, **more):
    """An audience that is ready, by moving the clock."""
    audience = await make(api, *people, **more)
    await pass_time(line)
    return audience


async def pass_time(line, seconds=MINUTES):
    await line.clock(advance=seconds)
    # Work that follows from other work is due a little later.
    await line.clock(advance=seconds)


async def friends(line, count, **more):
    return [one["id"] for one in await line.create_users(count, state="friend", **more)]


async def broadcast(api):
    answer = await api.call("POST", "/v2/bot/message/broadcast", {"messages": [TEXT]})
    assert answer.status == 200
    return answer.headers["x-line-request-id"]


def codes(answer):
    assert answer.status == 400, (answer.status, answer.json)
    return [one["message"] for one in answer.json["details"]]


async def test_upload_goes_through_its_phases(line, api):
    await line.clock(freeze=1_613_698_278.5)
    people = await friends(line, 3)
    await line.block(people[0])
    stranger = await line.new_stranger()
    answer = await api.call(
        "POST",
        f"{PATH}/upload",
        {
            "description": "audienceGroupName_01",
            "uploadDescription": "一回目",
            "audiences": [{"id": one} for one in (*people, people[1], stranger, "U" + "e" * 32)],
        },
    )
    assert answer.status == 202
    audience = answer.json["audienceGroupId"]
    assert answer.json == {
        "audienceGroupId": audience,
        "createRoute": "MESSAGING_API",
        "type": "UPLOAD",
        "description": "audienceGroupName_01",
        "created": 1_613_698_278,
        "permission": "READ_WRITE",
        "expireTimestamp": 1_613_698_278 + 180 * 86_400,
        "isIfaAudience": False,
    }
    assert len(str(audience)) == 13
    queued = await get(api, audience)
    assert queued["audienceGroup"] == answer.json | {"status": "IN_PROGRESS", "audienceCount": 0}
    job = queued["jobs"][0]
    assert job == {
        "audienceGroupJobId": job["audienceGroupJobId"],
        "audienceGroupId": audience,
        "description": "一回目",
        "type": "DIFF_ADD",
        "status": "QUEUED",
        "failedType": None,
        "audienceCount": 0,
        "created": 1_613_698_278,
        "jobStatus": "QUEUED",
    }
    await line.clock(advance=0.15)
    assert (await get(api, audience))["jobs"][0]["jobStatus"] == "WORKING"
    await line.clock(advance=0.2)
    done = await get(api, audience)
    # Blocked and strange people are in it, the same person once, nobody for an unknown id.
    assert done["audienceGroup"]["status"] == "READY"
    assert done["audienceGroup"]["audienceCount"] == 4
    assert (done["jobs"][0]["jobStatus"], done["jobs"][0]["audienceCount"]) == ("FINISHED", 4)


async def test_empty_audience_waits_until_somebody_is_added(line, api):
    audience = await ready(line, api)
    empty = await get(api, audience)
    assert (empty["audienceGroup"]["status"], empty["jobs"]) == ("IN_PROGRESS", [])
    body = {"audienceGroupId": audience, "audiences": [{"id": await line.new_friend()}]}
    answer = await api.call("PUT", f"{PATH}/upload", body)
    assert (answer.status, answer.json) == (202, {})
    await pass_time(line)
    full = await get(api, audience)
    assert (full["audienceGroup"]["status"], full["audienceGroup"]["audienceCount"]) == ("READY", 1)
    assert full["jobs"][0]["description"] is None


async def test_audience_of_nobody_known_is_not_ready(line, api):
    audience = await ready(line, api, *[f"U{n:032x}" for n in range(60)])
    found = await get(api, audience)
    assert found["jobs"][0]["jobStatus"] == "FINISHED"
    assert (found["audienceGroup"]["status"], found["audienceGroup"]["audienceCount"]) == (
        "IN_PROGRESS",
        0,
    )


async def test_adding_to_a_ready_audience_leaves_it_ready(line, api):
    await line.clock(freeze=True)
    first, second = await friends(line, 2)
    audience = await ready(line, api, first)
    await api.call(
        "PUT", f"{PATH}/upload", {"audienceGroupId": audience, "audiences": [{"id": second}]}
    )
    during = await get(api, audience)
    assert during["audienceGroup"]["status"] == "READY"
    assert during["audienceGroup"]["audienceCount"] == 1
    assert [job["jobStatus"] for job in during["jobs"]] == ["FINISHED", "QUEUED"]


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("あ" * 121, "AUDIENCE_GROUP_NAME_SIZE_OVER", "size over audienceGroupName"),
        ("二\n行", "AUDIENCE_GROUP_NAME_WRONG", None),
        ("　 ", "AUDIENCE_GROUP_NAME_EMPTY", None),
        (None, "AUDIENCE_GROUP_NAME_EMPTY", None),
    ],
)
async def test_names(api, name, code, message):
    for method, path, body in (
        ("POST", "upload", {}),
        ("POST", "click", {"requestId": str(uuid.uuid4())}),
        ("POST", "imp", {"requestId": str(uuid.uuid4())}),
        ("PUT", "1/updateDescription", {}),
    ):
        answer = await api.call(method, f"{PATH}/{path}", body | {"description": name})
        assert codes(answer) == [code]
        if message:
            assert answer.json == {"message": message, "details": [{"message": code}]}


async def test_name_of_120_and_upload_description_of_300(line, api):
    audience = await make(api, description="あ" * 120)
    assert (await get(api, audience))["audienceGroup"]["description"] == "あ" * 120
    over = {"description": "x", "uploadDescription": "x" * 301}
    assert codes(await api.call("POST", f"{PATH}/upload", over)) == [
        "AUDIENCE_GROUP_UPLOAD_DESCRIPTION_SIZE_OVER"
    ]


async def test_ids_of_the_wrong_form(line, api):
    friend = await line.new_friend()
    body = {"description": "x", "audiences": [{"id": friend}, {"id": "yamada"}]}
    answer = await api.call("POST", f"{PATH}/upload", body)
    assert answer.status == 400
    assert answer.json == {
        "message": "Invalid audience id format",
        "details": [
            {
                "message": "UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT",
                "property": "audiences",
            }
        ],
    }
    assert (await api.call("GET", f"{PATH}/list?page=1")).json["totalCount"] == 0
    # An audience of user ids takes no advertiser's identifiers, and the other way round.
    audience = await make(api)
    ifa = str(uuid.uuid4())
    body = {"audienceGroupId": audience, "audiences": [{"id": ifa}]}
    assert codes(await api.call("PUT", f"{PATH}/upload", body)) == [
        "UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT"
    ]
    body = {"description": "x", "isIfaAudience": True, "audiences": [{"id": friend}]}
    assert codes(await api.call("POST", f"{PATH}/upload", body)) == [
        "UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT"
    ]


async def test_ten_thousand_ids_at_most(api):
    ids = [{"id": f"U{n:032x}"} for n in range(10_001)]
    assert codes(
        await api.call("POST", f"{PATH}/upload", {"description": "x", "audiences": ids})
    ) == ["UPLOAD_AUDIENCE_GROUP_TOO_MANY_AUDIENCE_IDS"]
    await make(api, *[one["id"] for one in ids[:10_000]])


async def test_adding_nobody(api):
    audience = await make(api)
    body = {"audienceGroupId": audience, "audiences": []}
    assert codes(await api.call("PUT", f"{PATH}/upload", body)) == [
        "UPLOAD_AUDIENCE_GROUP_NO_VALID_AUDIENCE_IDS"
    ]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"description": 5}, "description"),
        ({"description": "x", "audiences": {}}, "audiences"),
        ({"description": "x", "audiences": ["U1"]}, "audiences[0]"),
        ({"description": "x", "isIfaAudience": "true"}, "isIfaAudience"),
    ],
)
async def test_properties_of_the_wrong_type(api, body, where):
    answer = await api.call("POST", f"{PATH}/upload", body)
    assert (answer.status, answer.json) == (400, {
        "message": f"The property, '{where}', in the request body is invalid (line: -, column: -)"
    })  # fmt: skip


async def test_ten_jobs_at_a_time(line, api):
    await line.clock(freeze=True)
    friend = await line.new_friend()
    audience = await make(api, friend)
    body = {"audienceGroupId": audience, "audiences": [{"id": friend}]}
    statuses = [(await api.call("PUT", f"{PATH}/upload", body)).status for _ in range(10)]
    assert statuses == [202] * 9 + [429]
    other = await make(api, friend)
    answer = await api.call("PUT", f"{PATH}/upload", body | {"audienceGroupId": other})
    assert answer.status == 202, "the limit is each audience's own"
    await pass_time(line)
    assert (await api.call("PUT", f"{PATH}/upload", body)).status == 202


async def test_fifty_jobs_are_shown(line, api):
    friend = await line.new_friend()
    audience = await make(api, friend)
    await line.update_channel((await line.channels())[0]["channel_id"], unlimited=True)
    for number in range(55):
        body = {"audienceGroupId": audience, "uploadDescription": str(number),
                "audiences": [{"id": friend}]}  # fmt: skip
        assert (await api.call("PUT", f"{PATH}/upload", body)).status == 202
        await pass_time(line, 1)
    jobs = (await get(api, audience))["jobs"]
    assert [job["description"] for job in jobs] == [str(number) for number in range(5, 55)]


async def test_unknown_audiences(api):
    expected = {
        "message": "audience group not found",
        "details": [{"message": "AUDIENCE_GROUP_NOT_FOUND"}],
    }
    body = {"audienceGroupId": 4389303728991, "audiences": [{"id": "U" + "0" * 32}]}
    for method, path, json in (
        ("GET", "4389303728991", None),
        ("GET", "yamada", None),
        ("GET", "9" * 40, None),
        ("DELETE", "4389303728991", None),
        ("PUT", "4389303728991/updateDescription", {"description": "x"}),
        ("PUT", "upload", body),
        ("GET", "shared/4389303728991", None),
    ):
        answer = await api.call(method, f"{PATH}/{path}", json)
        assert (answer.status, answer.json) == (400, expected), path


async def test_rename_and_delete(line, api):
    audience = await make(api, await line.new_friend())
    answer = await api.call("PUT", f"{PATH}/{audience}/updateDescription", {"description": "改名"})
    assert (answer.status, answer.json) == (200, {})
    assert (await get(api, audience))["audienceGroup"]["description"] == "改名"
    answer = await api.call("DELETE", f"{PATH}/{audience}")
    assert (answer.status, answer.json) == (202, {})
    assert codes(await api.call("GET", f"{PATH}/{audience}")) == ["AUDIENCE_GROUP_NOT_FOUND"]
    await pass_time(line)  # the job that was under way finds nothing, and that is all


async def test_retention(line, api):
    friend = await line.new_friend()
    audience = await ready(line, api, friend)
    empty = await make(api)
    await pass_time(line, 90 * 86_400)
    expired = (await get(api, audience))["audienceGroup"]
    assert (expired["status"], expired["audienceCount"]) == ("EXPIRED", 1)
    body = {"audienceGroupId": audience, "audiences": [{"id": friend}]}
    assert codes(await api.call("PUT", f"{PATH}/upload", body)) == [
        "AUDIENCE_GROUP_CAN_NOT_UPLOAD_STATUS_EXPIRED"
    ]
    listed = (await api.call("GET", f"{PATH}/list?page=1&status=EXPIRED")).json["audienceGroups"]
    reasons = {one["audienceGroupId"]: one.get("failedType") for one in listed}
    assert reasons == {audience: None, empty: "AUDIENCE_GROUP_AUDIENCE_INSUFFICIENT"}
    await pass_time(line, 15 * 86_400)
    assert codes(await api.call("GET", f"{PATH}/{audience}")) == ["AUDIENCE_GROUP_NOT_FOUND"]


async def test_a_thousand_audiences(line, api):
    await line.update_channel((await line.channels())[0]["channel_id"], unlimited=True)
    for number in range(1000):
        await make(api, description=str(number))
    for path, body in (("upload", {}), ("imp", {"requestId": await broadcast(api)})):
        answer = await api.call("POST", f"{PATH}/{path}", body | {"description": "x"})
        assert codes(answer) == ["AUDIENCE_GROUP_COUNT_MAX_OVER"]


async def test_sixty_a_minute_and_each_endpoint_its_own(api):
    statuses = [(await api.call("GET", f"{PATH}/list?page=1")).status for _ in range(62)]
    assert statuses[:60] == [200] * 60
    assert 429 in statuses[60:]
    assert (await api.call("GET", f"{PATH}/shared/list?page=1")).status == 200


# Files


def form(file, *, file_type="text/plain", boundary="x-y-z", **fields):
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    if file is not None:
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="ids.txt"\r\n'
            f"Content-Type: {file_type}\r\n\r\n".encode()
            + file
            + b"\r\n"
        )
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


async def send_form(api, body, method="POST", boundary="x-y-z"):
    return await api.call(method, f"{PATH}/upload/byFile", data=body,
                          Content_Type=f"multipart/form-data; boundary={boundary}")  # fmt: skip


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
async def test_file(line, api, end, mark):
    people = await friends(line, 3)
    file = mark + (end.join([*people[:2], "", people[0]]) + end).encode()
    answer = await send_form(api, form(file, description="店の客", uploadDescription="名簿"))
    assert answer.status == 202
    assert answer.json["description"] == "店の客"
    audience = answer.json["audienceGroupId"]
    await pass_time(line)
    answer = await send_form(api, form(people[2].encode(), audienceGroupId=audience), "PUT")
    assert (answer.status, answer.json) == (202, {})
    await pass_time(line)
    found = await get(api, audience)
    assert found["audienceGroup"]["audienceCount"] == 3
    assert [job["audienceCount"] for job in found["jobs"]] == [2, 1]
    assert [job["description"] for job in found["jobs"]] == ["名簿", None]


async def test_what_is_wrong_with_a_file(line, api):
    wrong = "UPLOAD_AUDIENCE_GROUP_INVALID_AUDIENCE_ID_FORMAT"
    answer = await send_form(api, form(b"U123\n", description="x"))
    assert (answer.status, answer.json) == (
        400,
        {"message": wrong, "details": [{"message": wrong, "property": "file"}]},
    )
    for file in (b"", b"\n \r\n"):
        answer = await send_form(api, form(file, description="x"))
        assert codes(answer) == ["UPLOAD_AUDIENCE_GROUP_NO_VALID_AUDIENCE_IDS"]
    answer = await send_form(api, form(b"\x00" * 5_000_000, description="x"))
    assert codes(answer) == [wrong]
    assert (await send_form(api, form(None, description="x"))).status == 400
    answer = await send_form(api, form(b"x", description="x", file_type="application/pdf"))
    assert answer.status == 415
    answer = await api.call("POST", f"{PATH}/upload/byFile", {"description": "x"})
    assert answer.status == 415
    friend = (await line.new_friend()).encode()
    assert codes(await send_form(api, form(friend))) == ["AUDIENCE_GROUP_NAME_EMPTY"]
    assert codes(await send_form(api, form(friend, audienceGroupId=5), "PUT")) == [
        "AUDIENCE_GROUP_NOT_FOUND"
    ]
    assert (await send_form(api, form(friend, audienceGroupId="５"), "PUT")).status == 400
    assert codes(await send_form(api, form(friend), "PUT")) == ["AUDIENCE_GROUP_NOT_FOUND"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x-y-z",
        b"--x-y-z\r\n\r\n",
        b"--x-y-z--",
        b"--x-y-z\r\nContent-Disposition: form-data; name*=bad''%ff; x=\"\r\n\r\nv\r\n--x-y-z--",
        b'--x-y-z\r\nContent-Disposition: form-data; name="file"; x\r\nContent-Type: ;;;\r\n\r\n'
        b"\xff\xfe\r\n--x-y-z--",
        b'--x-y-z\r\nContent-Disposition: form-data; name="description"\r\n\r\n\xff\r\n--x-y-z--',
        b"\x00" * 100_000,
    ],
)
async def test_broken_forms(api, body):
    assert (await send_form(api, body)).status in (400, 415)
    assert (await send_form(api, body, boundary='""')).status in (400, 415)
    assert (await send_form(api, body, boundary="*=utf-16''%00")).status in (400, 415)


async def test_big_file_and_too_big_a_file(line, api):
    people = await friends(line, 2)
    ids = b"".join(b"U%032x\n" % n for n in range(300_000))
    answer = await send_form(api, form(ids + people[0].encode(), description="大"))
    await pass_time(line)
    assert (await get(api, answer.json["audienceGroupId"]))["audienceGroup"]["audienceCount"] == 1
    answer = await send_form(api, form(ids * 5 + people[0].encode(), description="大"))
    assert codes(answer) == ["UPLOAD_AUDIENCE_GROUP_TOO_MANY_AUDIENCE_IDS"]


async def test_advertisers_identifiers(line, api):
    ifa = str(uuid.uuid4()).upper()
    for number in range(21):
        await line.new_friend(attributes={"ifa": ifa if number == 0 else str(uuid.uuid4())})
    audience = await make(api, isIfaAudience=True)
    body = {"audienceGroupId": audience, "audiences": [{"id": ifa.lower()}]}
    await api.call("PUT", f"{PATH}/upload", body)
    await pass_time(line)
    shown = (await get(api, audience))["audienceGroup"]
    assert (shown["isIfaAudience"], shown["status"]) == (True, "READY")
    assert shown["audienceCount"] == 0, "fewer than 20 are not told of identifiers"
    inside = await line.call("GET", f"/audiences/{audience}/users")
    assert len(inside["ids"]) == 1


# Clicks and views


async def act_all(line, people, **act):
    results = await line.acts([{"user": one} | act for one in people])
    assert all(one["ok"] for one in results), results


async def test_view_and_click_audiences(line, api):
    people = await friends(line, 70)
    request = await broadcast(api)
    await act_all(line, people[:60], type="read")
    await act_all(line, people[:50], type="tap", label="https://example.com/tea")
    body = {"description": "見た人", "requestId": request}
    seen = await api.call("POST", f"{PATH}/imp", body)
    assert seen.status == 202
    assert seen.json["type"] == "IMP"
    assert seen.json["requestId"] == request
    assert "clickUrl" not in seen.json
    clicked = await api.call("POST", f"{PATH}/click", body)
    assert clicked.json["type"] == "CLICK"
    elsewhere = await api.call(
        "POST", f"{PATH}/click", body | {"clickUrl": "https://example.com/other"}
    )
    assert elsewhere.json["clickUrl"] == "https://example.com/other"
    await pass_time(line)
    found = {}
    for name, answer in (("seen", seen), ("clicked", clicked), ("elsewhere", elsewhere)):
        shown = await get(api, answer.json["audienceGroupId"])
        assert shown["jobs"] == []
        found[name] = (shown["audienceGroup"]["status"], shown["audienceGroup"]["audienceCount"])
    assert found == {
        "seen": ("READY", 60),
        "clicked": ("READY", 50),
        "elsewhere": ("IN_PROGRESS", 0),
    }


async def test_forty_nine_are_too_few_and_nineteen_are_not_told(line, api):
    people = await friends(line, 49)
    for count, shown in ((49, 49), (19, 0)):
        request = await broadcast(api)
        await act_all(line, people[:count], type="read")
        body = {"description": "x", "requestId": request}
        answer = await api.call("POST", f"{PATH}/imp", body)
        await pass_time(line)
        audience = (await get(api, answer.json["audienceGroupId"]))["audienceGroup"]
        assert (audience["status"], audience["audienceCount"]) == ("IN_PROGRESS", shown)


async def test_requests_that_make_no_audience(line, api):
    await friends(line, 2)
    request = await broadcast(api)
    body = {"description": "x", "requestId": request}
    assert (await api.call("POST", f"{PATH}/imp", body)).status == 202
    assert codes(await api.call("POST", f"{PATH}/imp", body)) == [
        "AUDIENCE_GROUP_REQUESTID_DUPLICATE"
    ]
    # A click audience of the same request is another one, and so is one for another link.
    assert (await api.call("POST", f"{PATH}/click", body)).status == 202
    link = body | {"clickUrl": "https://example.com/tea"}
    assert (await api.call("POST", f"{PATH}/click", link)).status == 202
    assert codes(await api.call("POST", f"{PATH}/click", link)) == [
        "AUDIENCE_GROUP_REQUESTID_DUPLICATE"
    ]
    push = await api.push(await line.new_friend(), TEXT)
    for one in (push.headers["x-line-request-id"], str(uuid.uuid4())):
        assert codes(await api.call("POST", f"{PATH}/imp", body | {"requestId": one})) == [
            "REQUEST_NOT_FOUND"
        ]
    await line.create_channel()
    second = (await line.channels())[1]["access_token"]
    answer = await api.call("POST", f"{PATH}/imp", body, Authorization=f"Bearer {second}")
    assert codes(answer) == ["WRONG_BOT_ID"]
    request = await broadcast(api)
    await line.clock(advance=60 * 86_400 + 60)
    assert codes(await api.call("POST", f"{PATH}/imp", body | {"requestId": request})) == [
        "TOO_OLD_MESSAGES"
    ]
    assert (await api.call("POST", f"{PATH}/imp", {"description": "x"})).json["details"] == [
        {"message": "May not be empty", "property": "requestId"}
    ]


# Lists


async def test_list_pages_and_filters(line, api):
    friend = await line.new_friend()
    made = [await make(api, *([friend] if n % 2 else []), description=f"Group-{n}")
            for n in range(45)]  # fmt: skip
    await pass_time(line)
    tag = await line.call("POST", "/audiences", {
        "type": "CHAT_TAG", "description": "VIP", "users": [friend]})  # fmt: skip
    assert (tag["createRoute"], tag["permission"], tag["status"]) == ("OA_MANAGER", "READ", "READY")

    async def page(query):
        answer = await api.call("GET", f"{PATH}/list?{query}")
        assert answer.status == 200, answer.json
        return answer.json

    first = await page("page=1")
    assert (first["size"], first["page"], first["hasNextPage"]) == (20, 1, True)
    assert (first["totalCount"], first["readWriteAudienceGroupTotalCount"]) == (46, 45)
    ids = [one["audienceGroupId"] for one in first["audienceGroups"]]
    for number in (2, 3, 4):
        more = await page(f"page={number}")
        ids += [one["audienceGroupId"] for one in more["audienceGroups"]]
        assert more["hasNextPage"] == (number < 3)
    assert ids == [tag["audienceGroupId"], *reversed(made)]
    assert (await page("page=1&description=gROUP-4"))["totalCount"] == 6
    assert (await page("page=1&status=IN_PROGRESS"))["totalCount"] == 23
    assert (await page("page=1&createRoute=OA_MANAGER"))["totalCount"] == 1
    both = "page=1&createRoute=OA_MANAGER&createRoute=MESSAGING_API&size=40"
    assert len((await page(both))["audienceGroups"]) == 40
    nothing = await page("page=1&createRoute=AD_MANAGER&size=40")
    assert nothing == {
        "audienceGroups": [],
        "hasNextPage": False,
        "totalCount": 0,
        "readWriteAudienceGroupTotalCount": 0,
        "size": 40,
        "page": 1,
    }
    shared = (await api.call("GET", f"{PATH}/shared/list?page=1")).json
    assert shared["totalCount"] == 0
    path = f"{PATH}/shared/list?page=1&includesOwnedAudienceGroups=true"
    assert (await api.call("GET", path)).json["totalCount"] == 46
    assert codes(await api.call("DELETE", f"{PATH}/{tag['audienceGroupId']}")) == [
        "AUDIENCE_GROUP_NOT_FOUND"
    ]


@pytest.mark.parametrize("path", ["list", "shared/list"])
async def test_list_queries_that_are_wrong(api, path):
    answer = await api.call("GET", f"{PATH}/{path}?page=1&size=41")
    assert (answer.status, answer.json) == (400, {
        "message": "size: must be less than or equal to 40",
        "details": [{"message": "TOO_HIGH"}],
    })  # fmt: skip
    for query in ("", "page=0", "page=x", "page=1&size=0", "page=1&status=SLEEPING",
                  "page=1&createRoute=ME", "page=-1", "page=" + "9" * 400):  # fmt: skip
        assert (await api.call("GET", f"{PATH}/{path}?{query}")).status == 400, query
    flags = {"list": "includesExternalPublicGroups", "shared/list": "includesOwnedAudienceGroups"}
    assert (await api.call("GET", f"{PATH}/{path}?page=1&{flags[path]}=perhaps")).status == 400


async def test_jobs_can_be_made_to_fail(line, api):
    await line.call("PATCH", "/pace", {"fail_audiences": 1})
    audience = await ready(line, api, await line.new_friend())
    failed = await get(api, audience)
    assert failed["audienceGroup"]["status"] == "FAILED"
    assert failed["audienceGroup"]["failedType"] == "INTERNAL_ERROR"
    job = failed["jobs"][0]
    assert (job["jobStatus"], job["failedType"]) == ("FAILED", "INTERNAL_ERROR")
    assert (await line.call("GET", "/pace"))["fail_audiences"] == 0


# What LINE believes to know of people


async def test_people_are_the_same_for_the_same_seed_and_believable(line):
    people = await friends(line, 300)
    known = [await line.call("GET", f"/users/{one}/demographics") for one in people]
    await line.reset()
    again = await friends(line, 300)
    assert again == people
    assert [await line.call("GET", f"/users/{one}/demographics") for one in again] == known
    for name, at_least in (("gender", 3), ("appType", 3), ("area", 15), ("age", 30)):
        assert len({one[name] for one in known}) >= at_least, name
    assert all(one["area"] in AREAS or one["area"] == "unknown" for one in known)
    assert max(one["subscriptionPeriod"] for one in known) > 365


async def test_attributes_overrule_and_days_pass(line):
    person = await line.new_friend(
        attributes={"gender": "female", "age": 34, "appType": "android", "area": "jp_05",
                    "subscriptionPeriod": 40, "tea": "sencha"})  # fmt: skip
    expected = {"gender": "female", "age": 34, "appType": "android", "area": "jp_05",
                "subscriptionPeriod": 40}  # fmt: skip
    path = f"/users/{person}/demographics"
    assert await line.call("GET", path) == expected
    await line.clock(advance=3 * 86_400)
    assert (await line.call("GET", path))["subscriptionPeriod"] == 43
    changed = await line.call("PATCH", path, {"age": "unknown", "subscriptionPeriod": 1})
    assert changed == expected | {"age": "unknown", "subscriptionPeriod": 1}
    newcomer = await line.new_stranger()
    await line.follow(newcomer)
    assert (await line.call("GET", f"/users/{newcomer}/demographics"))["subscriptionPeriod"] == 0
    await line.clock(advance=86_400)
    assert (await line.call("GET", f"/users/{newcomer}/demographics"))["subscriptionPeriod"] == 1
