"""LINE's own OpenAPI files against the emulator: all is served, what is good is taken and answered
as specified, and what breaks any rule of any schema is refused.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jsonschema_rs
import orjson
import pytest
import pytest_asyncio

from line_spec import Op, examples, flat, json_schema, needs_spec, operations, reachable, walk
from line_spec.bodies import BODIES, FILES, filled
from line_spec.breaking import Broken, breakings
from line_spec.world import World, address, basic, png

pytestmark = needs_spec

Json = dict[str, Any]
OPS = operations()
BY_ID = {op.id: op for op in OPS}
every_operation = pytest.mark.parametrize("op", OPS, ids=lambda op: op.id)

FORM = "application/x-www-form-urlencoded"

WITHOUT_CONTRACT = {
    "detachModule": 400,  # reference, "Unlink (detach) the module channel": not detachable
    "acquireChatControl": 403,
    "releaseChatControl": 403,
    "getModules": 403,
    "attachModule": 403,
    "missionStickerV3": 403,
    "pushMessagesByPhone": 403,
    "markMessagesAsRead": 403,
}
"""What operations for accounts with a contract of their own answer to all others."""

ANSWERED_OTHERWISE = {
    "deleteAudienceGroup": 202,  # reference, "Delete audience"
}

ALLOWED: dict[tuple[str, str, str], str] = {
    # (schema, property, rule): why breaking it is allowed after all
}

ONCE = {"quickReply", "sender"}
"""Properties of all messages, shown on one of them."""
NOT_IN_MESSAGES = {"RichMenuSwitchAction"}
"""Only rich menus have such actions (reference, "Rich menu switch action")."""


@pytest_asyncio.fixture
async def world(line, bot) -> AsyncIterator[World]:
    """An emulator without rate limits, with pieces to be made as needed."""
    await line.update_channel(line.channel["channel_id"], unlimited=True)
    async with aiohttp.ClientSession() as session:
        yield World(line, session, bot)


async def send(world: World, op: Op, path: str, query: Json, body: Any) -> tuple[int, Any, Any]:
    """Call the operation as LINE's specification says it is called."""
    if query:
        path += "?" + "&".join(f"{key}={value}" for key, value in query.items())
    headers = {}
    if op.file == "liff":
        headers["Authorization"] = f"Bearer {await world.need('login token')}"
    if op.file == "module-attach":
        channel = world.channel
        headers["Authorization"] = basic(channel["channel_id"], channel["channel_secret"])
    if op.id in FILES:
        form = aiohttp.FormData(default_to_multipart=True)
        for key, value in body.items():
            if key == "file":
                form.add_field(key, value, filename="ids.txt", content_type="text/plain")
            else:
                form.add_field(key, str(value))
        return await world.call(op.method, path, data=form, headers=headers)
    if op.id == "setRichMenuImage":
        return await world.call(op.method, path, data=png(2500, 843), content_type="image/png")
    if body is None:
        return await world.call(op.method, path, headers=headers)
    if op.content_type == FORM:
        return await world.call(op.method, path, data=body, headers=headers)
    return await world.call(op.method, path, body, headers=headers)


async def good_bodies(world: World, op: Op) -> list[Any]:
    if op.id in FILES:
        return [await filled(world, FILES[op.id])]
    return [await filled(world, one) for one in BODIES.get(op.id, [None])]


def wrong_in_answer(op: Op, status: int, answer: Any) -> list[str]:
    """What the specification's schema says against the answer."""
    schema = op.answer_schema(status)
    if schema is None:
        return []
    validator = jsonschema_rs.validator_for(json_schema(op.file, schema), validate_formats=False)
    wrong = [
        f"{error.instance_path}: {error.message}"
        for error in validator.iter_errors(answer)
        if error.instance is not None or list(error.instance_path[-1:]) not in NULL_ANYWAY
    ]
    for place, here, value in walk(op.file, schema, answer, "answer"):
        if isinstance(value, dict) and here.properties and here.rest is None:
            extra = set(value) - set(here.properties)
            extra = {one for one in extra if (here.name, one) not in MORE_THAN_SPECIFIED}
            if extra:
                wrong.append(f"{here.name} at {place} has unknown properties {sorted(extra)}")
    return wrong


MORE_THAN_SPECIFIED: dict[tuple[str, str], str] = {
    # The reference's examples have them, and the specification's own example too.
    ("CreateImpBasedAudienceGroupResponse", "createRoute"): "Create message impression audience",
    ("CreateImpBasedAudienceGroupResponse", "permission"): "the same",
    ("CreateImpBasedAudienceGroupResponse", "expireTimestamp"): "the same",
    ("CreateImpBasedAudienceGroupResponse", "isIfaAudience"): "the same",
    ("AudienceGroupJob", "status"): "Get audience data",
    ("AudienceGroup", "expireTimestamp"): "Get audience data",
}


NULL_ANYWAY = [["failedType"], ["description"]]
"""Properties of a job that are null, as in the reference's examples ("Get audience data")."""


async def test_every_operation_is_served(line):
    served = set((await line.call("GET", "/operations"))["operations"])
    missing = []
    for op in OPS:
        shape = op.path.split("/")
        for one in served:
            method, _, path = one.partition(" ")
            parts = path.split("/")
            if method == op.method and len(parts) == len(shape) and all(
                a == b or (a.startswith("{") and b.startswith("{"))
                for a, b in zip(parts, shape, strict=True)
            ):  # fmt: skip
                break
        else:
            missing.append(f"{op.method} {op.path}")
    assert missing == []


@every_operation
async def test_what_is_good_is_taken(world, op):
    path, query = await address(world, op)
    for body in await good_bodies(world, op):
        status, answer, headers = await send(world, op, path, query, body)
        assert status == ANSWERED_OTHERWISE.get(op.id, op.success), (status, answer, body)
        assert headers["x-line-request-id"]
        wrong = wrong_in_answer(op, status, answer)
        assert not wrong, "\n".join(wrong)


NAMED_IN_EXAMPLES = {"Uxxxxxxxxxxxxxxxxxx": "<friend>", "nz0x74mZT2mRn...": "<read token>"}
"""What stands for an id in the specification's examples."""


@every_operation
async def test_the_specifications_examples_are_taken(world, op):
    path, query = await address(world, op)
    body = (await good_bodies(world, op))[0]
    tried: list[tuple[Json, Any]] = []
    if op.body_example is not None:
        text = orjson.dumps(op.body_example).decode()
        for example, piece in NAMED_IN_EXAMPLES.items():
            text = text.replace(example, piece)
        tried.append((query, await filled(world, orjson.loads(text))))
    if op.body is not None and isinstance(body, dict):
        tried += [(query, body | {name: one}) for name, one in examples(op.file, op.body)]
    for one in op.parameters:
        if one.place == "query" and "example" in one.schema:
            given = one.schema["example"]
            changed = {one.name: str(given).lower() if isinstance(given, bool) else given}
            # A period is given as a whole: its two ends belong together.
            both = {"from", "to"} & set(query) if one.name in ("from", "to") else set()
            tried.append((query | dict.fromkeys(both, given) | changed, body))
    if not tried:
        pytest.skip("has no example")
    for asked, sent in tried:
        status, answer, _ = await send(world, op, path, asked, sent)
        assert status == ANSWERED_OTHERWISE.get(op.id, op.success), (asked, sent, answer)


@pytest.mark.parametrize(
    "op",
    [BY_ID[one] for one in WITHOUT_CONTRACT if one in BY_ID],
    ids=lambda op: op.id,
)
async def test_without_a_contract(world, op):
    path, query = await address(world, op)
    everything = {"module": False, "mission": False, "notification": False, "mark_as_read": False}
    body = (await good_bodies(world, op))[0]
    await world.line.call("PATCH", "/contracts", everything)
    status, answer, _ = await send(world, op, path, query, body)
    assert status == WITHOUT_CONTRACT[op.id]
    assert answer["message"]


@every_operation
def test_the_good_bodies_show_every_property(op):
    if op.body is None or op.id not in BODIES | FILES:
        pytest.skip("takes no body, or only bytes")
    bodies = BODIES.get(op.id) or [FILES[op.id]]
    wanted = reachable(op.file, op.body, op.id)
    if op.id != "validateReply":
        # Messages are shown once, to the endpoint that only validates them.
        for name in reachable("messaging-api", {"$ref": "#/components/schemas/Message"}, ""):
            wanted.pop(name, None)
    shown: dict[str, set[str]] = {}
    for body in bodies:
        for _, here, value in walk(op.file, op.body, body, op.id):
            if isinstance(value, dict):
                shown.setdefault(here.name, set()).update(value)
    missing = {
        f"{name}.{one}"
        for name, properties in wanted.items()
        for one in properties - shown.get(name, set())
        if one not in ONCE and not (op.id == "validateReply" and name in NOT_IN_MESSAGES)
    }
    assert missing == set()


def permitted(broken: Broken) -> bool:
    return (broken.schema, broken.property, broken.rule) in ALLOWED


@every_operation
async def test_what_breaks_a_rule_is_refused(world, op):
    if op.body is None or op.id not in BODIES | FILES:
        pytest.skip("takes no body, or only bytes")
    path, query = await address(world, op)
    taken, tried = [], set()
    for body in await good_bodies(world, op):
        for broken in breakings(op.file, op.body, body, op.id):
            mark = (broken.schema, broken.property, broken.rule)
            textual = op.content_type != "application/json"
            if mark in tried or (textual and (broken.rule == "type" or not broken.place)):
                continue  # in a form everything is text
            tried.add(mark)
            status, answer, _ = await send(world, op, path, query, broken.body)
            if permitted(broken):
                continue
            if status != 400 or not isinstance(answer, dict):
                taken.append(f"{broken}: {status} {answer}")
            elif not (answer.get("message") or answer.get("error")):
                taken.append(f"{broken}: an error without a message, {answer}")
    assert not taken, "\n".join(taken)
    assert tried


@every_operation
async def test_broken_parameters_are_refused(world, op):
    path, query = await address(world, op)
    body = (await good_bodies(world, op))[0]
    taken = []
    for one in op.parameters:
        here = flat(op.file, one.schema, one.name)
        cases: list[tuple[str, Json]] = []
        if one.place == "query":
            if one.required:
                cases.append(("left out", {k: v for k, v in query.items() if k != one.name}))
            broken = wrong_parameters(here)
            cases += [(repr(value), query | {one.name: value}) for value in broken]
        for what, changed in cases:
            if (op.id, one.name, what) in ALLOWED:
                continue
            status, answer, _ = await send(world, op, path, changed, body)
            if status != 400 or not isinstance(answer, dict):
                taken.append(f"{one.name} {what}: {status} {answer}")
    assert not taken, "\n".join(taken)


def wrong_parameters(here: Any) -> list[str]:
    """Values that the parameter's schema does not allow, as they are written in a URL."""
    limits, found = here.limits, []
    if here.type in ("integer", "boolean"):
        found.append("many")
    if "enum" in limits:
        found.append("NO_SUCH_VALUE")
    if "minimum" in limits:
        found.append(str(limits["minimum"] - 1))
    if "maximum" in limits:
        found.append(str(limits["maximum"] + 1))
    if "pattern" in limits:
        found.append("a.b")
    if "maxLength" in limits:
        found.append("1" * (limits["maxLength"] + 1))
    if limits.get("minLength", 0) > 0:
        found.append("1" * (limits["minLength"] - 1))
    if here.items is not None:
        found += wrong_parameters(flat("messaging-api", here.items))
    return found


UNKNOWN = {
    "userId": "U" + "0" * 32,
    "groupId": "C" + "0" * 32,
    "roomId": "R" + "0" * 32,
    "messageId": "99999999999999",
    "richMenuId": "richmenu-" + "0" * 32,
    "richMenuAliasId": "no-such-alias",
    "audienceGroupId": "99999999",
    "membershipId": "99999999",
    "couponId": "01JYNW8JMQVFBNWF1APF8Z3FS7",
    "liffId": "1234567890-abcdefgh",
    "chatId": "U" + "0" * 32,
}
"""Ids that look right and belong to nobody."""

KNOWN_ANYWAY: dict[tuple[str, str], str] = {
    ("releaseChatControl", "chatId"): "there is nothing to release",
    # Reference, "Link rich menu to user": only an invalid id is an error; nothing is said of one
    # that nobody has.
    ("linkRichMenuIdToUser", "userId"): "may be anybody's",
    ("unlinkRichMenuIdFromUser", "userId"): "may be anybody's",
}


@every_operation
async def test_unknown_ids_are_refused(world, op):
    named = [one.name for one in op.parameters if one.place == "path"]
    if not named:
        pytest.skip("names nothing in its path")
    real, query = await address(world, op)
    body = (await good_bodies(world, op))[0]
    taken = []
    for name in named:
        for wrong in (UNKNOWN[name], "%00", "x" * 3000, "..%2F.."):
            if wrong is UNKNOWN[name] and (op.id, name) in KNOWN_ANYWAY:
                continue
            place = op.path.split("/").index("{" + name + "}")
            parts = real.split("/")
            parts[place] = wrong
            status, answer, _ = await send(world, op, "/".join(parts), query, body)
            if status not in (400, 404):
                taken.append(f"{name} {wrong[:40]}: {status} {answer}")
    assert not taken, "\n".join(taken)


@every_operation
async def test_a_wrong_token_is_refused(world, op):
    if op.file in ("channel-access-token", "module-attach"):
        pytest.skip("asks for no access token")
    path = op.path.format_map(UNKNOWN)
    status, answer, headers = await world.call(op.method, path, {}, token="wrong")
    assert status == 401
    assert answer["message"].startswith("Authentication failed due to the following reason: ")
    assert headers["x-line-request-id"]
