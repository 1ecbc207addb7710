"""What `liff.getContext()` tells (LIFF reference, "liff.getContext()")."""

from __future__ import annotations

import base64
import hashlib

from ..login.person import Visitor
from ..login.store import LoginChannel
from ..model import Json
from .store import LiffApp

_COLOURS: Json = {
    "adaptableColorSchemes": ["light"],
    "lightModeColor": {
        "iconColor": "#111111",
        "statusBarColor": "black",
        "titleTextColor": "#111111",
        "titleSubtextColor": "#B7B7B7",
        "titleButtonColor": "#111111",
        "titleBackgroundColor": "#FFFFFF",
        "progressBarColor": "#06C755",
        "progressBackgroundColor": "#FFFFFF",
    },
    "darkModeColor": {
        "iconColor": "#FFFFFF",
        "statusBarColor": "white",
        "titleTextColor": "#FFFFFF",
        "titleSubtextColor": "#949494",
        "titleButtonColor": "#FFFFFF",
        "titleBackgroundColor": "#111111",
        "progressBarColor": "#06C755",
        "progressBackgroundColor": "#111111",
    },
}


def availability(app: LiffApp, channel: LoginChannel, *, in_client: bool) -> Json:
    """Which features this app can use where it was opened."""
    full = app.view_type == "full" or not in_client
    return {
        "shareTargetPicker": {"permission": channel.share_target_picker, "minVer": "10.3.0"},
        "multipleLiffTransition": {"permission": in_client and full, "minVer": "10.18.0"},
        "subwindowOpen": {"permission": True, "minVer": "11.7.0"},
        "scanCode": {"permission": False, "minVer": "9.4.0", "unsupportedFromVer": "9.19.0"},
        "scanCodeV2": {
            "permission": bool(app.qr_code) and full,
            "minVer": "11.7.0",
            "minOsVer": "14.3.0",
        },
        "getAdvertisingId": {"permission": False, "minVer": "7.14.0"},
        "addToHomeScreen": {"permission": False, "minVer": "9.16.0"},
        "bluetoothLeFunction": {
            "permission": False,
            "minVer": "9.14.0",
            "unsupportedFromVer": "9.19.0",
        },
        "skipChannelVerificationScreen": {"permission": False, "minVer": "11.14.0"},
        "addToHomeV2": {"permission": False, "minVer": "13.20.0"},
        "addToHomeHideDomain": {"permission": False, "minVer": "13.20.0"},
        "addToHomeLineScheme": {"permission": False, "minVer": "13.20.0"},
    }


def token_hash(token: str) -> str:
    """`accessTokenHash`: the first half of the token's SHA-256."""
    half = hashlib.sha256(token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def context(
    app: LiffApp, channel: LoginChannel, visitor: Visitor | None, token: str | None
) -> Json:
    """The context of an app: opened on a phone by `visitor`, or in an external browser by None."""
    kind = "external"
    if visitor is not None:
        kind = "none"
        if visitor.chat_id is not None:
            kind = "group" if visitor.chat_id.startswith("C") else "room"
        elif visitor.channel_id is not None:
            kind = "utou"
    told: Json = {"type": kind}
    if visitor is not None:
        told |= {"userId": visitor.user.id, "viewType": app.view_type}
    told |= {"liffId": app.id, "endpointUrl": app.url}
    if token is not None:
        told["accessTokenHash"] = token_hash(token)
    return told | {
        "availability": availability(app, channel, in_client=visitor is not None),
        "scope": sorted(app.scopes),
        "menuColorSetting": _COLOURS,
        "miniDomainAllowed": False,
        "permanentLinkPattern": app.permanent_link_pattern,
    }
