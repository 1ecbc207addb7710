"""What LIFF remembers: apps, little windows that are open, and what people shared."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..login.store import LoginChannel, logins
from ..model import Json
from ..platform import Platform

DEMO = "Emulator"
"""The second half of the demo app's id. The server API neither lists nor changes that app."""
DEMO_PATH = "/_emulator/liff/demo"
_SHARED_KEPT = 1000
_WINDOWS_KEPT = 1000


@dataclass(slots=True)
class LiffApp:
    """A LIFF app as it was added; None where the request left a property out."""

    id: str
    channel_id: str
    view_type: str
    url: str
    module_mode: bool | None = None
    description: str | None = None
    ble: bool | None = None
    qr_code: bool | None = None
    permanent_link_pattern: str = "concat"
    scopes: list[str] = field(default_factory=lambda: ["profile", "chat_message.write"])
    bot_prompt: str = "none"


@dataclass(slots=True)
class LiffWindow:
    """A window over a LIFF app: the target picker, the code reader, "add as a friend".

    `token` is the user's access token that opened it; it takes one answer.
    """

    kind: str
    token: str
    messages: list[Json] = field(default_factory=list[Json])
    several: bool = True


@dataclass(slots=True)
class Shared:
    """Messages that somebody shared with others by the target picker, and when (ms)."""

    at_ms: int
    liff_id: str
    user_id: str
    to: list[str]
    messages: list[Json]


@dataclass(slots=True)
class LiffApps:
    """The platform's drawer of LIFF."""

    apps: dict[str, LiffApp] = field(default_factory=dict[str, LiffApp])
    windows: dict[str, LiffWindow] = field(default_factory=dict[str, LiffWindow])
    shared: list[Shared] = field(default_factory=list[Shared])

    def open_window(self, key: str, window: LiffWindow) -> None:
        """Remember a window; the oldest make room."""
        while len(self.windows) >= _WINDOWS_KEPT:
            self.windows.pop(next(iter(self.windows)))
        self.windows[key] = window

    def share(self, shared: Shared) -> None:
        """Remember what was shared; the oldest make room."""
        del self.shared[: max(0, len(self.shared) - _SHARED_KEPT + 1)]
        self.shared.append(shared)


def find_app(platform: Platform, liff_id: str) -> LiffApp | None:
    """The LIFF app with this id: one that was added, or the demo."""
    app = platform.store.of(LiffApps).apps.get(liff_id)
    if app is not None:
        return app
    channel_id, _, name = liff_id.partition("-")
    if name != DEMO or channel_id not in logins(platform).channels:
        return None
    return LiffApp(
        id=liff_id,
        channel_id=channel_id,
        view_type="full",
        url=platform.base_url + DEMO_PATH,
        description="LIFF demo",
        qr_code=True,
        scopes=["openid", "email", "profile", "chat_message.write"],
        bot_prompt="normal",
    )


def channel_of(platform: Platform, app: LiffApp) -> LoginChannel:
    """The login channel that the app was added to."""
    return logins(platform).channels[app.channel_id]
