"""Every method of the official SDK's clients, sync and async, against the emulator: typed answers.

The arguments come from the same tables as the test of LINE's specification: a request model is
read from the operation's good body, a plain parameter is a piece of the prepared world.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import aiohttp
import pytest
import pytest_asyncio
from linebot.v3 import (
    audience,
    insight,
    liff,
    messaging,
    module,
    moduleattach,
    oauth,
    shop,
)

from line_spec.bodies import BODIES, FILES, filled
from line_spec.world import HI, PARAMETERS, SITUATIONS, World, basic, png

PACKAGES: list[tuple[Any, tuple[str, ...]]] = [
    (messaging, ("MessagingApi", "MessagingApiBlob")),
    (audience, ("ManageAudience", "ManageAudienceBlob")),
    (insight, ("Insight",)),
    (oauth, ("ChannelAccessToken",)),
    (liff, ("Liff",)),
    (module, ("LineModule",)),
    (moduleattach, ("LineModuleAttach",)),
    (shop, ("Shop",)),
]
"""The SDK's packages with their clients; each has an `Async…` beside it."""

OLD_NAMES = re.compile(r"liff_v1_apps.*")
"""Methods that only pass on to one of a better name."""

TEMPLATED = {
    "to": "<phone hash>",
    "templateKey": "shipment_completed_ja",
    "body": {
        "items": [{"itemKey": "date_002_ja", "content": "今日"}],
        "buttons": [{"buttonKey": "check_delivery_status_ja", "url": "https://example.com/"}],
    },
}


_KNOWN = {
    name.partition(".")[0].lower(): name.partition(".")[0]
    for name in [*BODIES, *FILES, *SITUATIONS, *(one for one in PARAMETERS if "." in one)]
}


@dataclass(frozen=True)
class Method:
    """A method of one of the SDK's clients."""

    package: Any
    client: str
    name: str

    def __str__(self) -> str:
        return f"{self.client}.{self.name}"

    @property
    def operation(self) -> str:
        """The operation's id in LINE's specification."""
        name = re.sub(r"_by_(client_secret|jwt_assertion)$", "", self.name)
        return _KNOWN.get(name.replace("_", ""), name)

    @property
    def signature(self) -> inspect.Signature:
        client = getattr(self.package, self.client)
        return inspect.signature(inspect.unwrap(getattr(client, self.name)))


def methods() -> Iterator[Method]:
    for package, clients in PACKAGES:
        for client in clients:
            for name in dir(getattr(package, client)):
                if not name.startswith("_") and "_with_http_info" not in name:
                    yield Method(package, client, name)


METHODS = list(methods())


@pytest_asyncio.fixture
async def world(line, bot) -> AsyncIterator[World]:
    await line.update_channel(line.channel["channel_id"], unlimited=True)
    async with aiohttp.ClientSession() as session:
        yield World(line, session, bot)


def is_model(annotation: Any) -> Any:
    """The request model that a parameter asks for, if it asks for one."""
    for one in (annotation, *get_args(annotation)):
        if inspect.isclass(one) and hasattr(one, "from_dict"):
            return one
    return None


def camel(name: str) -> str:
    first, *rest = name.removeprefix("var_").split("_")
    return first + "".join(one.capitalize() for one in rest)


async def arguments(world: World, method: Method, folder: Path) -> dict[str, Any]:
    """What to call the method with."""
    operation = method.operation
    if operation in SITUATIONS:
        await world.need(SITUATIONS[operation])
    fields: dict[str, Any] = {}
    if operation in FILES:
        fields = await filled(world, FILES[operation])
        # The SDK wants the path of a file.
        (folder / "ids.txt").write_bytes(fields["file"])
        fields["file"] = str(folder / "ids.txt")
    elif operation in BODIES:
        which = -1 if method.name.endswith("_by_client_secret") else 0
        fields = await filled(world, BODIES[operation][which])
    given: dict[str, Any] = {}
    for one in method.signature.parameters.values():
        if one.name == "self" or one.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        model = is_model(one.annotation)
        pieces = (
            f"{operation}.{one.name}",
            f"{operation}.{camel(one.name)}",
            camel(one.name),
            one.name,
        )
        piece = next((PARAMETERS[name] for name in pieces if name in PARAMETERS), None)
        if one.name == "body":
            given[one.name] = png(2500, 843)
        elif one.name == "pnp_templated_message_request":
            given[one.name] = model.from_dict(await filled(world, TEMPLATED))
        elif model is not None and one.name.endswith("_request"):
            given[one.name] = model.from_dict(fields)
        elif one.name in fields or camel(one.name) in fields:
            found = fields.get(one.name, fields.get(camel(one.name)))
            given[one.name] = found == "true" if one.name.startswith("is_") else found
        elif one.default is inspect.Parameter.empty or one.name == "var_date":
            assert piece is not None, f"nothing to give {method} as {one.name}"
            value = await world.need(piece)
            given[one.name] = int(value) if one.name == "page" else value
    if operation == "setRichMenuImage":
        given["_headers"] = {"Content-Type": "image/png"}
    return given


async def configured(world: World, method: Method) -> Any:
    package = method.package
    token = await world.need("login token") if method.client == "Liff" else world.line.token
    configuration = package.Configuration(host=world.line.url, access_token=token)
    if method.client == "LineModuleAttach":
        configuration.username = world.channel["channel_id"]
        configuration.password = world.channel["channel_secret"]
    return configuration


def check(method: Method, answer: Any) -> None:
    """The answer is of the type that the SDK promises."""
    promised = method.signature.return_annotation
    if method.name.startswith("issue_stateless_channel_token"):
        promised = oauth.IssueStatelessChannelAccessTokenResponse
    if promised is None or promised is inspect.Signature.empty:
        assert answer is None
    elif promised is bytearray:
        assert isinstance(answer, bytes | bytearray)
        assert answer
    elif promised is not object:
        assert isinstance(answer, promised), type(answer)


async def call_async(world: World, method: Method, given: dict[str, Any]) -> Any:
    async with method.package.AsyncApiClient(await configured(world, method)) as client:
        api = getattr(method.package, f"Async{method.client}")(client)
        return await getattr(api, method.name)(**given)


async def call_sync(world: World, method: Method, given: dict[str, Any]) -> Any:
    configuration = await configured(world, method)

    def call() -> Any:
        with method.package.ApiClient(configuration) as client:
            api = getattr(method.package, method.client)(client)
            return getattr(api, method.name)(**given)

    return await asyncio.to_thread(call)


@pytest.mark.parametrize("call", [call_async, call_sync], ids=["async", "sync"])
@pytest.mark.parametrize("method", METHODS, ids=str)
async def test_method(world: World, method: Method, call: Callable[..., Any], tmp_path: Path):
    if OLD_NAMES.fullmatch(method.name):
        pytest.skip("an old name of another method")
    given = await arguments(world, method, tmp_path)
    if call is call_async and method.name == "add_user_ids_to_audience":
        # The SDK puts the id into the form as a number, which its HTTP library refuses.
        with pytest.raises(TypeError):
            await call(world, method, given)
        return
    check(method, await call(world, method, given))


def test_async_and_sync_clients_have_the_same_methods():
    for package, clients in PACKAGES:
        for name in clients:
            theirs = {
                kind: {one for one in dir(getattr(package, kind + name)) if not one.startswith("_")}
                for kind in ("", "Async")
            }
            assert theirs[""] == theirs["Async"], name


async def test_what_was_accepted_is_told_in_headers(world):
    key = str(uuid.uuid4())
    request = messaging.PushMessageRequest.from_dict(
        {"to": await world.need("friend"), "messages": [HI]}
    )
    configuration = messaging.Configuration(host=world.line.url, access_token=world.line.token)
    async with messaging.AsyncApiClient(configuration) as client:
        api = messaging.AsyncMessagingApi(client)
        first = await api.push_message_with_http_info(request, x_line_retry_key=key)
        with pytest.raises(messaging.ApiException) as again:
            await api.push_message_with_http_info(request, x_line_retry_key=key)
    assert again.value.status == 409
    assert again.value.headers["x-line-accepted-request-id"] == first.headers["x-line-request-id"]


def test_basic_is_what_http_says():
    assert basic("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
