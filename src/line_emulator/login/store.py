"""What LINE Login remembers: its channels, who granted what, codes, tokens, sessions.

All times are seconds since 1970 by the emulated clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..ids import seeded_hex
from ..model import IssuedToken, Json
from ..platform import Platform

ISSUER = "https://access.line.me"
"""`iss` of every ID token (docs, "Get profile information from ID tokens")."""
_KEPT = 20_000
"""So many codes, logins under way and sessions are kept; the oldest make room."""


@dataclass(slots=True)
class LoginChannel:
    """A LINE Login channel with its settings on the console.

    `linked_channel` is the Messaging API channel whose account can be added while logging in
    (docs, "Add a LINE Official Account as a friend when logged in"). `local_callbacks` lets every
    callback URL on a local host pass without being registered. A `web_only` channel must give its
    secret to refresh and revoke; others need not (reference, "Refresh access token").
    `certified` preselects the option to add the account. `share_target_picker` is the switch of
    that name on the console. `grants` and `asked` have the scopes that each person granted and was
    asked for.
    """

    id: str = ""
    secret: str = ""
    name: str = ""
    linked_channel: str | None = None
    callback_urls: list[str] = field(default_factory=list[str])
    local_callbacks: bool = True
    email_permission: bool = True
    web_only: bool = True
    certified: bool = False
    share_target_picker: bool = True
    auto_login: bool = True
    issuer: str = ISSUER
    tokens: dict[str, IssuedToken] = field(default_factory=dict[str, IssuedToken])
    grants: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    asked: dict[str, set[str]] = field(default_factory=dict[str, set[str]])

    def public(self) -> Json:
        """What a developer reads on LINE's console."""
        return {
            "channel_id": self.id,
            "channel_secret": self.secret,
            "name": self.name,
            "linked_channel": self.linked_channel,
        }


@dataclass(slots=True)
class Code:
    """An authorization code: lives 10 minutes, once (docs, "Receiving the authorization code")."""

    channel_id: str
    user_id: str
    redirect_uri: str
    scopes: list[str]
    nonce: str | None
    challenge: str | None
    auth_time: int | None
    amr: list[str]
    expires_at: float
    liff_id: str | None = None
    used: bool = False


@dataclass(slots=True)
class UserToken:
    """A user's access token. `refresh_until` ends the life of its refresh token."""

    token: str
    channel_id: str
    user_id: str
    scopes: list[str]
    expires_at: float
    refresh_token: str | None = None
    refresh_until: float = 0.0
    revoked: bool = False
    liff_id: str | None = None
    chat_channel: str | None = None
    chat_id: str | None = None


@dataclass(slots=True)
class Underway:
    """A login that waits for the person's answer on one of its screens.

    `kind` says what comes of it: "login" answers the authorization request in `query`, "liff" opens
    a LIFF app. `friend_shown` says that the option to add the account was on a screen, and
    `friend_changed` that it was taken.
    """

    kind: str
    channel_id: str
    query: dict[str, str]
    user_id: str
    scopes: list[str]
    expires_at: float
    bot_prompt: str = ""
    amr: list[str] = field(default_factory=list[str])
    auth_time: int | None = None
    friend_shown: bool = False
    friend_changed: bool = False
    chat_channel: str | None = None
    chat_id: str | None = None


@dataclass(slots=True)
class Session:
    """Somebody who logged in by hand in this browser, and when.

    `fresh` is how they did so ("pwd", "lineqr") until the login that asked for it has gone on.
    """

    user_id: str
    at: float
    fresh: str = ""


@dataclass(slots=True)
class Logins:
    """The platform's drawer of LINE Login."""

    channels: dict[str, LoginChannel] = field(default_factory=dict[str, LoginChannel])
    owners: dict[str, str] = field(default_factory=dict[str, str])
    codes: dict[str, Code] = field(default_factory=dict[str, Code])
    tokens: dict[str, UserToken] = field(default_factory=dict[str, UserToken])
    refresh_tokens: dict[str, str] = field(default_factory=dict[str, str])
    underway: dict[str, Underway] = field(default_factory=dict[str, Underway])
    sessions: dict[str, Session] = field(default_factory=dict[str, Session])

    def keep_token(self, channel: LoginChannel, issued: IssuedToken) -> None:
        """Let a channel access token open what login channels may call."""
        channel.tokens[issued.token] = issued
        self.owners[issued.token] = channel.id

    def drop_token(self, channel: LoginChannel, token: str) -> None:
        """Let the token open nothing from now on."""
        channel.tokens.pop(token, None)
        self.owners.pop(token, None)

    def put_code(self, text: str, code: Code) -> None:
        """Remember a code."""
        _make_room(self.codes)
        self.codes[text] = code

    def put_underway(self, key: str, one: Underway) -> None:
        """Remember a login that waits for an answer."""
        _make_room(self.underway)
        self.underway[key] = one

    def put_session(self, key: str, one: Session) -> None:
        """Remember who logged in in a browser."""
        _make_room(self.sessions)
        self.sessions[key] = one

    def put_user_token(self, token: UserToken, now: float) -> None:
        """Remember a user's token, and forget those that cannot even be refreshed any more."""
        while self.tokens:
            first = next(iter(self.tokens.values()))
            if max(first.expires_at, first.refresh_until) > now:
                break
            del self.tokens[first.token]
            if first.refresh_token is not None:
                self.refresh_tokens.pop(first.refresh_token, None)
        self.tokens[token.token] = token
        if token.refresh_token is not None:
            self.refresh_tokens[token.refresh_token] = token.token


def _make_room(kept: dict[str, Code] | dict[str, Underway] | dict[str, Session]) -> None:
    while len(kept) >= _KEPT:
        kept.pop(next(iter(kept)))


def logins(platform: Platform) -> Logins:
    """The platform's logins, with the provider's login channel in place."""
    drawer = platform.store.of(Logins)
    if not drawer.channels:
        add_login_channel(platform, drawer)
    return drawer


def add_login_channel(platform: Platform, drawer: Logins) -> LoginChannel:
    """A further LINE Login channel of the provider, linked with the first official account."""
    index = len(drawer.channels)
    seed = platform.setup.seed
    digest = seeded_hex(seed, "login", index)
    first = next(iter(platform.channels.values()), None)
    channel = LoginChannel(
        id=str(1_600_000_000 + int(digest[:7], 16) % 900_000 * 100 + index),
        secret=seeded_hex(seed, "login-secret", index),
        name=first.name if first else "LINE Login",
        linked_channel=first.id if first else None,
    )
    drawer.channels[channel.id] = channel
    return channel


def login_channel(platform: Platform, channel_id: str | None = None) -> LoginChannel | None:
    """The login channel with this id, or the first one."""
    channels = logins(platform).channels
    if channel_id is None:
        return next(iter(channels.values()))
    return channels.get(channel_id)
