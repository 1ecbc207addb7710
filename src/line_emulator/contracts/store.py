"""Which contracts a channel has, and who leads its chats."""

from __future__ import annotations

from dataclasses import dataclass, field

TEMPLATES = {"shipment_completed_ja": "発送完了のお知らせ"}
ITEMS = {
    "date_002_ja": "お届け日",
    "time_range_001_ja": "時間帯",
    "number_001_ja": "番号",
    "price_001_ja": "金額",
    "name_010_ja": "商品名",
}
BUTTONS = {"check_delivery_status_ja": "配送状況を確認", "contact_ja": "お問い合わせ"}


@dataclass(slots=True)
class Lead:
    """A module channel's lead in one chat; `until_ms` None means until it is given back."""

    until_ms: int | None
    taken_ms: int


@dataclass(slots=True)
class Contracts:
    """A channel's contracts, none by default, as for most accounts.

    `notification` and `notification_templates` allow LINE notification messages (flexible, by
    template); LINE publishes few of its templates' keys, so `templates`, `items` and `buttons` map
    keys to the words shown and can be set. `mark_as_read` allows the old endpoint of that name.
    `mission` allows mission stickers, of the package ids `sticker_sets`; `granted` keeps by user id
    who may download which.

    `module` makes the channel a module channel attached to its own account (`attached`, with
    `scopes`): it stands by in each chat until it takes the lead. `leads` is by chat id, `codes`
    are authorization codes for attaching, with their time in seconds.
    """

    notification: bool = False
    notification_templates: bool = False
    mark_as_read: bool = False
    mission: bool = False
    module: bool = False
    attached: bool = False
    suspended: bool = False
    templates: dict[str, str] = field(default_factory=lambda: dict(TEMPLATES))
    items: dict[str, str] = field(default_factory=lambda: dict(ITEMS))
    buttons: dict[str, str] = field(default_factory=lambda: dict(BUTTONS))
    sticker_sets: list[str] = field(default_factory=list[str])
    granted: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    scopes: list[str] = field(default_factory=lambda: ["message:send", "message:receive"])
    leads: dict[str, Lead] = field(default_factory=dict[str, Lead])
    codes: dict[str, float] = field(default_factory=dict[str, float])

    def leads_in(self, chat_id: str, now_ms: int) -> bool:
        """Whether this module channel leads in the chat now."""
        lead = self.leads.get(chat_id)
        if lead is None:
            return False
        if lead.until_ms is not None and lead.until_ms <= now_ms:
            del self.leads[chat_id]
            return False
        return True
