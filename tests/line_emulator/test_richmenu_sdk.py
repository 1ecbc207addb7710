"""The official SDK drives every rich-menu operation and gets typed answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from linebot.v3.messaging import (
    ApiClient,
    ApiException,
    Configuration,
    CreateRichMenuAliasRequest,
    MessageAction,
    MessagingApi,
    MessagingApiBlob,
    RichMenuArea,
    RichMenuBatchLinkOperation,
    RichMenuBatchProgressPhase,
    RichMenuBatchRequest,
    RichMenuBatchUnlinkAllOperation,
    RichMenuBounds,
    RichMenuBulkLinkRequest,
    RichMenuBulkUnlinkRequest,
    RichMenuRequest,
    RichMenuSize,
    RichMenuSwitchAction,
    UpdateRichMenuAliasRequest,
)

from rich_menus import picture


def request(name: str) -> RichMenuRequest:
    left = RichMenuBounds(x=0, y=0, width=400, height=540)
    right = RichMenuBounds(x=400, y=0, width=400, height=540)
    tab = RichMenuSwitchAction(rich_menu_alias_id="tab", data="tab")
    return RichMenuRequest(
        size=RichMenuSize(width=800, height=540),
        selected=True,
        name=name,
        chat_bar_text="メニュー",
        areas=[
            RichMenuArea(bounds=left, action=MessageAction(text="hi", label="hi")),
            RichMenuArea(bounds=right, action=tab),
        ],
    )


class Sdk:
    """The synchronous clients, called from a thread so that the emulator can answer."""

    def __init__(self, line: Any) -> None:
        client = ApiClient(Configuration(host=line.url, access_token=line.token))
        self._apis = (MessagingApi(client), MessagingApiBlob(client))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        one = next(api for api in self._apis if hasattr(api, name))
        return lambda *args, **named: asyncio.to_thread(getattr(one, name), *args, **named)


@pytest.fixture
def sdk(line) -> Sdk:
    return Sdk(line)


async def ready(sdk: Sdk, name: str = "menu") -> str:
    menu_id = (await sdk.create_rich_menu(request(name))).rich_menu_id
    await sdk.set_rich_menu_image(menu_id, body=picture(), _headers={"Content-Type": "image/png"})
    return menu_id


async def test_menus_and_images(sdk):
    await sdk.validate_rich_menu_object(request("x"))
    menu_id = await ready(sdk)
    menu = await sdk.get_rich_menu(menu_id)
    assert (menu.name, menu.chat_bar_text, menu.size.width) == ("menu", "メニュー", 800)
    assert isinstance(menu.areas[1].action, RichMenuSwitchAction)
    assert [one.rich_menu_id for one in (await sdk.get_rich_menu_list()).richmenus] == [menu_id]
    assert bytes(await sdk.get_rich_menu_image(menu_id)) == picture()
    await sdk.delete_rich_menu(menu_id)
    with pytest.raises(ApiException) as gone:
        await sdk.get_rich_menu(menu_id)
    assert gone.value.status == 404


async def test_the_default_menu(sdk):
    menu_id = await ready(sdk)
    await sdk.set_default_rich_menu(menu_id)
    assert (await sdk.get_default_rich_menu_id()).rich_menu_id == menu_id
    await sdk.cancel_default_rich_menu()
    with pytest.raises(ApiException) as gone:
        await sdk.get_default_rich_menu_id()
    assert gone.value.status == 404


async def test_aliases(sdk):
    first, second = await ready(sdk), await ready(sdk)
    body = CreateRichMenuAliasRequest(rich_menu_alias_id="tab", rich_menu_id=first)
    await sdk.create_rich_menu_alias(body)
    await sdk.update_rich_menu_alias("tab", UpdateRichMenuAliasRequest(rich_menu_id=second))
    assert (await sdk.get_rich_menu_alias("tab")).rich_menu_id == second
    listed = (await sdk.get_rich_menu_alias_list()).aliases
    assert [(one.rich_menu_alias_id, one.rich_menu_id) for one in listed] == [("tab", second)]
    await sdk.delete_rich_menu_alias("tab")
    assert (await sdk.get_rich_menu_alias_list()).aliases == []


async def test_links(line, sdk):
    friends = [await line.new_friend() for _ in range(2)]
    menu_id = await ready(sdk)
    await sdk.link_rich_menu_id_to_user(friends[0], menu_id)
    assert (await sdk.get_rich_menu_id_of_user(friends[0])).rich_menu_id == menu_id
    await sdk.unlink_rich_menu_id_from_user(friends[0])
    body = RichMenuBulkLinkRequest(rich_menu_id=menu_id, user_ids=friends)
    await sdk.link_rich_menu_id_to_users(body)
    await line.clock(advance=2)
    for friend in friends:
        assert (await sdk.get_rich_menu_id_of_user(friend)).rich_menu_id == menu_id
    await sdk.unlink_rich_menu_id_from_users(RichMenuBulkUnlinkRequest(user_ids=friends))
    await line.clock(advance=2)
    with pytest.raises(ApiException) as none:
        await sdk.get_rich_menu_id_of_user(friends[1])
    assert none.value.status == 404


async def test_batches(line, sdk):
    friend = await line.new_friend()
    first, second = await ready(sdk), await ready(sdk)
    await sdk.link_rich_menu_id_to_user(friend, first)
    move = RichMenuBatchLinkOperation(var_from=first, to=second)
    body = RichMenuBatchRequest(operations=[move], resume_request_key="key-1")
    await sdk.validate_rich_menu_batch_request(body)
    accepted = await sdk.rich_menu_batch_with_http_info(body)
    assert accepted.status_code == 202
    request_id = accepted.headers["x-line-request-id"]
    going = await sdk.get_rich_menu_batch_progress(request_id)
    assert going.phase == RichMenuBatchProgressPhase.ONGOING
    await line.clock(advance=5)
    done = await sdk.get_rich_menu_batch_progress(request_id)
    assert done.phase == RichMenuBatchProgressPhase.SUCCEEDED
    assert done.completed_time >= done.accepted_time
    assert (await sdk.get_rich_menu_id_of_user(friend)).rich_menu_id == second
    await sdk.rich_menu_batch(RichMenuBatchRequest(operations=[RichMenuBatchUnlinkAllOperation()]))
