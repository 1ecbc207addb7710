"""Mentions that people write: `@name` of a member or of the account, `@All`.

Reference, "Text", `mention`: places and lengths in UTF-16 units, at most 20.
"""

from __future__ import annotations

from ..model import Json
from ..platform import Platform
from ..validation.core import utf16_length
from . import chat
from .store import Group

MAX_MENTIONS = 20
EVERYBODY = "All"


def mention_in(platform: Platform, group: Group, content: Json) -> None:
    """Add `mention` to a text content that has none, for the names in its text."""
    text = content.get("text")
    if content.get("type") != "text" or not isinstance(text, str) or "@" not in text:
        return
    if "mention" in content:
        return
    known = _names(platform, group)
    found: list[Json] = []
    place = text.find("@")
    while place >= 0 and len(found) < MAX_MENTIONS:
        after = place + 1
        # The longest name wins: "@Ann" must not be found in "@Anna".
        name = next((one for one in known if text.startswith(one, after)), None)
        if name is not None:
            after += len(name)
            where = {"index": utf16_length(text[:place]), "length": utf16_length(name) + 1}
            found.append(where | known[name])
        place = text.find("@", after)
    if found:
        content["mention"] = {"mentionees": found}


def _names(platform: Platform, group: Group) -> dict[str, Json]:
    """What can be mentioned, longest name first, with how the event tells it."""
    names: dict[str, Json] = {EVERYBODY: {"type": "all"}}
    for user_id in group.members:
        user = platform.users.get(user_id)
        if user is not None:
            who: Json = {"type": "user", "isSelf": False}
            names[user.name] = who | ({"userId": user_id} if chat.consents(user) else {})
    account = chat.account_in(platform, group)
    if account is not None:
        names[account.name] = {"type": "user", "userId": account.bot_user_id, "isSelf": True}
    return dict(sorted(names.items(), key=lambda one: -len(one[0])))
