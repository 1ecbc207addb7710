"""Link tokens of a channel."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class LinkToken:
    """Whom a link token was issued for, and until when (seconds since 1970) it can be used."""

    user_id: str
    expires_at: float


@dataclass(slots=True)
class LinkTokens:
    """A channel's link tokens that were neither used nor forgotten, oldest first."""

    by_text: dict[str, LinkToken] = field(default_factory=dict[str, LinkToken])
