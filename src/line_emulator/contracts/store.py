"""Which contracts a channel has, and who leads its chats."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Lead:
    """A module channel's lead in one chat; `until_ms` None means until it is given back."""

    until_ms: int | None
    taken_ms: int


@dataclass(slots=True)
class Contracts:
    """A channel's contracts, none by default, as for most accounts.

    `notification` and `notification_templates` allow LINE notification messages (flexible, by
    template), `mark_as_read` the old endpoint of that name, `mission` mission stickers. `module`
    makes the channel a module channel attached to its own account: it stands by in each chat until
    it takes the lead. `leads` is by chat id; `phone_numbers` maps SHA-256 digests of E.164 numbers
    to user ids; `sticker_sets` are package ids that are mission stickers.
    """

    notification: bool = False
    notification_templates: bool = False
    mark_as_read: bool = False
    mission: bool = False
    module: bool = False
    attached: bool = False
    scopes: list[str] = field(default_factory=lambda: ["message:send", "message:receive"])
    leads: dict[str, Lead] = field(default_factory=dict[str, Lead])
    sticker_sets: set[str] = field(default_factory=set[str])
    granted: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def leads_in(self, chat_id: str, now_ms: int) -> bool:
        """Whether this module channel leads in the chat now."""
        lead = self.leads.get(chat_id)
        if lead is None:
            return False
        if lead.until_ms is not None and lead.until_ms <= now_ms:
            del self.leads[chat_id]
            return False
        return True
