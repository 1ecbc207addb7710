"""Assertion signing keys, and who can have channel access tokens: channels of both kinds."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..login.store import LoginChannel, logins
from ..model import Channel, IssuedToken, Json
from ..platform import Platform


@dataclass(slots=True)
class AssertionKeys:
    """Public keys (JWK) by `kid`, and the id of the channel that each was registered with."""

    by_kid: dict[str, Json] = field(default_factory=dict[str, Json])
    owner: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Issuer:
    """A Messaging API or LINE Login channel, as far as its access tokens go."""

    platform: Platform
    channel: Channel | LoginChannel

    @property
    def id(self) -> str:
        """The channel id."""
        return self.channel.id

    @property
    def secret(self) -> str:
        """The channel secret."""
        return self.channel.secret

    @property
    def tokens(self) -> dict[str, IssuedToken]:
        """The tokens issued and not revoked."""
        return self.channel.tokens

    def keep(self, issued: IssuedToken) -> None:
        """Let the token open what the channel may call."""
        if isinstance(self.channel, LoginChannel):
            logins(self.platform).keep_token(self.channel, issued)
        else:
            self.platform.keep_token(self.channel, issued)

    def drop(self, token: str) -> None:
        """Let the token open nothing from now on."""
        if isinstance(self.channel, LoginChannel):
            logins(self.platform).drop_token(self.channel, token)
        else:
            self.platform.drop_token(self.channel, token)


def issuer(platform: Platform, channel_id: str) -> Issuer | None:
    """The channel with this id, of either kind."""
    channel = platform.channels.get(channel_id) or logins(platform).channels.get(channel_id)
    return None if channel is None else Issuer(platform, channel)


def issuer_of(platform: Platform, token: str) -> Issuer | None:
    """The channel that this token was issued for."""
    channel = platform.channel_by_token.get(token)
    if channel is not None:
        return Issuer(platform, channel)
    owner = logins(platform).owners.get(token)
    return None if owner is None else issuer(platform, owner)
