"""The LIFF server API (reference, "Server API"), with the token of a LINE Login channel."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from ..api.operation import EMPTY, Answer, Call, LineError, answer, not_found, operation
from ..login.granting import letters
from ..login.operations import channel_of_bearer
from ..login.store import LoginChannel, logins
from ..model import Channel, Json
from ..validation.core import Check, array, boolean, choice, obj, text, url
from ..validation.report import Path, Report
from .store import LiffApp, LiffApps

MAX_APPS = 30
"""LIFF apps of one channel."""
KINDS = ("short-lived", "stateless")
"""Channel access tokens that may be used (reference, "Preparing a channel access token")."""

_https = url(1000, "https")
_any_text = text(1000)
_BRAND = re.compile(r"(?<![a-z])line(?![a-z])", re.IGNORECASE)


def _endpoint(value: Any, path: Path, report: Report) -> None:
    _https(value, path, report)
    if not isinstance(value, str):
        return
    try:
        parts = urlsplit(value)
    except ValueError:
        return
    if parts.scheme not in ("http", "https"):
        return
    if "#" in value:
        report.invalid(path, "URL fragments can't be specified")


def _name(value: Any, path: Path, report: Report) -> None:
    _any_text(value, path, report)
    if isinstance(value, str) and _BRAND.search(value):
        report.invalid(path, "The LIFF app name can't include LINE or similar strings")


_VIEW: dict[str, Check] = {"type": choice("compact", "tall", "full"), "url": _endpoint}
_SCOPE = array(choice("openid", "email", "profile", "chat_message.write"), 0, 4)
_OTHERS: dict[str, Check] = {
    "description": _name,
    "features": obj({}, {"qrCode": boolean, "ble": boolean}),
    "permanentLinkPattern": choice("concat"),
    "scope": _SCOPE,
    "botPrompt": choice("normal", "aggressive", "none"),
}
_ADD = obj({"view": obj(_VIEW, {"moduleMode": boolean})}, _OTHERS)
_UPDATE = obj({}, {"view": obj({}, _VIEW | {"moduleMode": boolean}), **_OTHERS})


def _apply(app: LiffApp, body: Json) -> None:
    view: Json = body.get("view") or {}
    features: Json = body.get("features") or {}
    found = {
        "view_type": view.get("type"),
        "url": view.get("url"),
        "module_mode": view.get("moduleMode"),
        "description": body.get("description"),
        "qr_code": features.get("qrCode"),
        "ble": features.get("ble"),
        "permanent_link_pattern": body.get("permanentLinkPattern"),
        "bot_prompt": body.get("botPrompt"),
    }
    for name, value in found.items():
        if value is not None:
            setattr(app, name, value)
    if body.get("scope") is not None:
        app.scopes = list(dict.fromkeys(body["scope"]))


def _describe(app: LiffApp) -> Json:
    view: Json = {"type": app.view_type, "url": app.url}
    if app.module_mode is not None:
        view["moduleMode"] = app.module_mode
    shown: Json = {"liffId": app.id, "view": view}
    if app.description is not None:
        shown["description"] = app.description
    return shown | {
        "features": {"ble": bool(app.ble), "qrCode": bool(app.qr_code)},
        "permanentLinkPattern": app.permanent_link_pattern,
        "scope": app.scopes,
        "botPrompt": app.bot_prompt,
    }


def _channel(call: Call) -> LoginChannel:
    """The login channel the request is for.

    LINE has refused LIFF apps of Messaging API channels since 2020. With the token of such a
    channel the login channel linked with its account is meant here: who tries a bot has that
    token at hand.
    """
    messaging = call.platform.channel_by_token.get(call.bearer())
    if messaging is not None and _is_good(call, messaging):
        for channel in logins(call.platform).channels.values():
            if channel.linked_channel == messaging.id:
                return channel
    return channel_of_bearer(call, *KINDS)


def _is_good(call: Call, channel: Channel) -> bool:
    expires_at = channel.tokens[call.bearer()].expires_at
    return expires_at is None or expires_at > call.platform.clock.now()


def _of_channel(call: Call, channel: LoginChannel) -> list[LiffApp]:
    apps = call.platform.store.of(LiffApps).apps
    return [app for app in apps.values() if app.channel_id == channel.id]


def _app(call: Call, channel: LoginChannel) -> LiffApp:
    app = call.platform.store.of(LiffApps).apps.get(call.params["liff_id"])
    if app is None or app.channel_id != channel.id:
        not_found()
    return app


@operation("POST", "/liff/v1/apps", auth=False, body="json", limit=None)
async def add(call: Call) -> Answer:
    """Adding the LIFF app to a channel."""
    channel = _channel(call)
    body = call.json(_ADD)
    if len(_of_channel(call, channel)) >= MAX_APPS:
        raise LineError(400, "The maximum number of LIFF apps has been reached")
    app = LiffApp(f"{channel.id}-{letters(8)}", channel.id, "", "")
    _apply(app, body)
    call.platform.store.of(LiffApps).apps[app.id] = app
    return answer({"liffId": app.id})


@operation("GET", "/liff/v1/apps", auth=False, limit=None)
async def listing(call: Call) -> Answer:
    """Get all LIFF apps; 404 when there is none, as the reference says."""
    apps = _of_channel(call, _channel(call))
    if not apps:
        not_found()
    return answer({"apps": [_describe(app) for app in apps]})


@operation("PUT", "/liff/v1/apps/{liff_id}", auth=False, body="json", limit=None)
async def update(call: Call) -> Answer:
    """Update LIFF app settings: only what the request names."""
    app = _app(call, _channel(call))
    _apply(app, call.json(_UPDATE))
    return EMPTY


@operation("DELETE", "/liff/v1/apps/{liff_id}", auth=False, limit=None)
async def delete(call: Call) -> Answer:
    """Delete LIFF app from a channel."""
    app = _app(call, _channel(call))
    del call.platform.store.of(LiffApps).apps[app.id]
    return EMPTY
