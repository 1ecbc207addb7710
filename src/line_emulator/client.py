"""A client of the control API for tests, demos and load drivers.

async with EmulatorClient("http://127.0.0.1:9000") as line:
    user = (await line.create_users(1))[0]
    await line.act(user=user["id"], type="follow")
    async for delivery in line.deliveries():
        ...
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Self

import aiohttp
import orjson

Json = dict[str, Any]


class EmulatorError(Exception):
    """The control API refused, or an act was impossible; the text says why."""


class EmulatorClient:
    """Speaks to the control API of an emulator at `base_url`.

    Every method raises EmulatorError with the emulator's own sentence when it refuses, and
    aiohttp.ClientError when it cannot be reached.
    """

    def __init__(self, base_url: str) -> None:
        self.url = base_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: dict[str, Any] | None = None,
        wait: float = 0,
    ) -> Any:
        """Any request below `/_emulator`: `await line.call("GET", "/state")`."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        given = {k: str(v) for k, v in (params or {}).items() if v is not None}
        async with self._session.request(
            method,
            f"{self.url}/_emulator{path}",
            data=None if body is None else orjson.dumps(body),
            headers={"Content-Type": "application/json"},
            params=given,
            timeout=aiohttp.ClientTimeout(total=60 + wait),
        ) as response:
            result = orjson.loads(await response.read())
            if response.status >= 400:
                raise EmulatorError(result.get("error", f"status {response.status}"))
            return result

    # State and time

    async def state(self) -> Json:
        """Counts and the clock; `own_errors` must stay 0."""
        return await self.call("GET", "/state")

    async def reset(self) -> None:
        """Start again: same channels and tokens, no messages, no faults, the clock real."""
        await self.call("POST", "/reset")

    async def clock(
        self,
        *,
        freeze: bool | float | None = None,
        advance: float | None = None,
        real: bool | None = None,
    ) -> Json:
        """Read the clock, or set it: freeze now or at a second, advance by seconds, go real."""
        body = {"freeze": freeze, "advance": advance, "real": real}
        wanted = {name: value for name, value in body.items() if value is not None}
        return await (self.call("POST", "/clock", wanted) if wanted else self.call("GET", "/clock"))

    # Channels

    async def channels(self) -> list[Json]:
        """All channels with secrets, tokens and settings."""
        return (await self.call("GET", "/channels"))["channels"]

    async def create_channel(self, **settings: Any) -> Json:
        """A further channel; settings as in `update_channel`."""
        return await self.call("POST", "/channels", settings)

    async def update_channel(self, channel: str, **settings: Any) -> Json:
        """Change webhook_url, use_webhook, quota, unlimited, redelivery, webhook={...} and more."""
        return await self.call("PATCH", f"/channels/{channel}", settings)

    # People

    async def create_users(
        self, count: int = 1, *, state: str = "not_friend", **attributes: Any
    ) -> list[Json]:
        """Create people; state is "not_friend", "friend" or "blocked".

        Above 1000 people only their ids come back, as `{"id": …}`.
        """
        body = {"count": count, "state": state} | attributes
        result = await self.call("POST", "/users", body)
        return result.get("users") or [{"id": one} for one in result["ids"]]

    async def users(self, after: int = 0, limit: int = 100, q: str | None = None) -> Json:
        """A page of people: `users`, `next`, `total`."""
        return await self.call("GET", "/users", params={"after": after, "limit": limit, "q": q})

    async def user(self, user: str) -> Json:
        """One person."""
        return await self.call("GET", f"/users/{user}")

    async def phone(self, user: str, channel: str | None = None) -> Json:
        """What the phone received and said, in order, as `entries`."""
        return await self.call("GET", f"/users/{user}/phone", params={"channel": channel})

    async def received(self, user: str, channel: str | None = None) -> list[Json]:
        """Only the message objects that arrived at this phone, in order."""
        entries = (await self.phone(user, channel))["entries"]
        return [
            one["message"]
            for entry in entries
            if entry["kind"] == "received"
            for one in entry["messages"]
        ]

    # Acts

    async def acts(self, acts: Iterable[Json]) -> list[Json]:
        """Do many things in one request; one result each, `ok` False for the impossible."""
        return (await self.call("POST", "/acts", {"acts": list(acts)}))["results"]

    async def act(self, **act: Any) -> Json:
        """Do one thing: `act(user=…, type="message", text="hello")`. Raises EmulatorError."""
        result = (await self.acts([act]))[0]
        if not result["ok"]:
            raise EmulatorError(result["error"])
        return result

    async def follow(self, user: str, channel: str | None = None) -> Json:
        """Add the account as a friend."""
        return await self.act(user=user, channel=channel, type="follow")

    async def block(self, user: str, channel: str | None = None) -> Json:
        """Block the account."""
        return await self.act(user=user, channel=channel, type="unfollow")

    async def say(self, user: str, text: str, channel: str | None = None) -> Json:
        """Send a text message to the account."""
        return await self.act(user=user, channel=channel, type="message", text=text)

    async def tap(
        self,
        user: str,
        label: str | None = None,
        *,
        index: int | None = None,
        message: str = "last",
        channel: str | None = None,
        value: Any = None,
    ) -> Json:
        """Tap a button or quick reply that arrived; the result's `uri` is what would open."""
        return await self.act(
            user=user,
            channel=channel,
            type="tap",
            label=label,
            index=index,
            message=message,
            value=value,
        )

    async def tap_menu(
        self,
        user: str,
        label: str | None = None,
        *,
        area: int | None = None,
        channel: str | None = None,
        value: Any = None,
    ) -> Json:
        """Tap an area of the person's rich menu, by its action's label or its place from 0."""
        return await self.act(
            user=user, channel=channel, type="menu", label=label, area=area, value=value
        )

    async def menu(self, user: str, channel: str | None = None) -> Json | None:
        """The rich menu that the person has now, or None."""
        result = await self.call("GET", f"/users/{user}/richmenu", params={"channel": channel})
        return result["menu"]

    async def open_link(self, user: str, url: str, channel: str | None = None) -> Json:
        """Open a link that arrived; insight counts it."""
        return await self.act(user=user, channel=channel, type="open", url=url)

    async def play(
        self, user: str, percent: int = 100, *, message: str = "last", channel: str | None = None
    ) -> Json:
        """Play a video or audio that arrived."""
        return await self.act(
            user=user, channel=channel, type="play", percent=percent, message=message
        )

    async def get_coupon(self, user: str, coupon: str = "last", channel: str | None = None) -> Json:
        """Open a coupon: get it, or draw lots for it; `won` tells how that went."""
        return await self.act(user=user, channel=channel, type="coupon_get", coupon=coupon)

    async def use_coupon(self, user: str, coupon: str = "last", channel: str | None = None) -> Json:
        """Use a coupon that was got before."""
        return await self.act(user=user, channel=channel, type="coupon_use", coupon=coupon)

    async def join_membership(
        self, user: str, plan: int | None = None, channel: str | None = None
    ) -> Json:
        """Join a membership plan, or the only one there is."""
        return await self.act(user=user, channel=channel, type="membership_join", plan=plan)

    async def leave_membership(self, user: str, channel: str | None = None) -> Json:
        """Leave the plan that was joined."""
        return await self.act(user=user, channel=channel, type="membership_leave")

    # Groups and rooms

    async def create_group(
        self,
        members: Sequence[str],
        *,
        name: str = "グループ",
        room: bool = False,
        account: bool = True,
        channel: str | None = None,
    ) -> Json:
        """Found a group, or a room; with `account` the account is in it and gets a join event."""
        return await self.call(
            "POST",
            "/groups",
            {
                "members": list(members),
                "name": name,
                "kind": "room" if room else "group",
                "account": account,
                "channel": channel,
            },
        )

    async def group(self, group: str) -> Json:
        """A group or room with its `entries`: what all its members see."""
        return await self.call("GET", f"/groups/{group}")

    async def say_in(self, group: str, user: str, text: str) -> Json:
        """Say something in a group or room; `@name` mentions a member."""
        return await self.act(user=user, chat=group, type="message", text=text)

    # People who live by themselves

    async def live(
        self,
        behaviours: str | Sequence[Json] = "believable",
        *,
        pace: float | None = None,
        seed: int | None = None,
    ) -> Json:
        """Let people open, tap, answer and block by themselves, `pace` times as quickly."""
        given = behaviours if isinstance(behaviours, str) else list(behaviours)
        body = {"behaviours": given, "pace": pace, "seed": seed}
        return await self.call(
            "POST", "/behaviours", {k: v for k, v in body.items() if v is not None}
        )

    async def pause_living(self, paused: bool = True) -> Json:
        """Let nobody do anything by themselves, or go on."""
        return await self.call("POST", "/behaviours", {"paused": paused})

    async def lived(self) -> Json:
        """The behaviours in force, and `counts` of what people did."""
        return await self.call("GET", "/behaviours")

    async def pace(self, **seconds: float) -> Json:
        """How long background work takes (`audience_working=5`); without arguments only read."""
        return await (
            self.call("PATCH", "/pace", seconds) if seconds else self.call("GET", "/pace")
        )

    # Logs

    async def deliveries_page(
        self, after: int = 0, *, limit: int = 1000, wait: float = 0
    ) -> tuple[list[Json], int]:
        """Arrivals numbered above `after`, and the highest number there is."""
        result = await self.call(
            "GET",
            "/deliveries",
            params={"after": after, "limit": limit, "wait": wait},
            wait=wait,
        )
        return result["deliveries"], result["last"]

    async def deliveries(
        self, after: int = 0, *, quiet: float | None = None
    ) -> AsyncIterator[Json]:
        """Follow all arrivals; ends after `quiet` seconds without one (never by default)."""
        heard = time.monotonic()
        while True:
            wait = 20.0 if quiet is None else max(0.05, quiet - (time.monotonic() - heard))
            page, _ = await self.deliveries_page(after, limit=5000, wait=min(wait, 20.0))
            for one in page:
                after = one["seq"]
                yield one
            if page:
                heard = time.monotonic()
            elif quiet is not None and time.monotonic() - heard >= quiet:
                return

    async def requests(self, after: int = 0, *, limit: int = 10_000) -> list[Json]:
        """Requests at LINE's API numbered above `after`."""
        page = await self.call("GET", "/requests", params={"after": after, "limit": limit})
        return page["requests"]

    # Trouble

    async def fault(self, kind: str, **rule: Any) -> Json:
        """Add a fault rule: `fault("500_after", match={"path": "/v2/bot/message"}, nth=1)`.

        `on="webhook"` strikes LINE's posts to the bot: `fault("500_before", on="webhook")` loses
        them.
        """
        return (await self.faults([{"kind": kind} | rule]))[0]

    async def faults(self, rules: Sequence[Json]) -> list[Json]:
        """Add several fault rules."""
        return (await self.call("POST", "/faults", {"rules": list(rules)}))["rules"]

    async def clear_faults(self) -> None:
        """Lift all fault rules."""
        await self.call("DELETE", "/faults")

    # Webhooks

    async def webhook_stats(self) -> Json:
        """Counts of webhook deliveries: `total` and `channels`."""
        return await self.call("GET", "/webhooks/stats")

    async def wait_webhooks_done(self, seconds: float = 30.0) -> Json:
        """Return the total counts when nothing is pending. Raises TimeoutError after `seconds`."""
        result = await self.call("GET", "/webhooks/stats", params={"wait": seconds}, wait=seconds)
        total = result["total"]
        if total["pending"]:
            raise TimeoutError(f"{total['pending']} webhook events are still pending")
        return total

    async def duplicate_webhooks(self, times: int, probability: float = 1.0) -> None:
        """From now on post every webhook so many times more; 0 ends it."""
        await self.call("POST", "/webhooks/duplicate", {"times": times, "probability": probability})

    async def reorder_webhooks(self, window: float) -> None:
        """From now on mix events within `window` seconds; 0 ends it."""
        await self.call("POST", "/webhooks/reorder", {"window": window})

    async def delay_webhooks(self, seconds: float, jitter: float = 0.0) -> None:
        """From now on post events late; 0 ends it."""
        await self.call("POST", "/webhooks/delay", {"seconds": seconds, "jitter": jitter})

    async def redeliver(self, last: int = 1, channel: str | None = None) -> int:
        """Post the last events once more, marked as redelivered."""
        result = await self.call("POST", "/webhooks/redeliver", {"last": last, "channel": channel})
        return result["redelivered"]

    async def operations(self) -> list[str]:
        """`METHOD path` of what is implemented of LINE's API."""
        return (await self.call("GET", "/operations"))["operations"]
