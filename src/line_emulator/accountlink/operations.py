"""Issuing link tokens, and the dialog that uses them up.

Reference, "Account link"; docs, "User account linking".
"""

from __future__ import annotations

from .. import events
from ..api.operation import Answer, Call, LineError, answer, not_found, operation
from ..ids import USER_ID
from ..login import screens
from ..login.authorize import session_of
from ..login.granting import letters
from ..login.person import Visitor, named, phone_owner
from ..login.words import language, word
from ..model import Channel
from ..platform import Platform
from ..validation.core import utf16_length
from .store import LinkToken, LinkTokens

TOKEN_SECONDS = 600
SHORTEST_NONCE, LONGEST_NONCE = 10, 255
_DIALOG = "/dialog/bot/accountLink"


@operation("POST", "/v2/bot/user/{user_id}/linkToken")
async def issue(call: Call) -> Answer:
    """Issue link token: for ten minutes, to be used once."""
    user_id = call.params["user_id"]
    if not USER_ID.fullmatch(user_id):
        raise LineError(400, "The value for the 'userId' parameter is invalid")
    if user_id not in call.platform.users or user_id not in call.channel.phones:
        not_found()
    now = call.platform.clock.now()
    tokens = call.channel.store.of(LinkTokens).by_text
    # The dictionary keeps the order of issue, so those that are over stand in front.
    while tokens and next(iter(tokens.values())).expires_at <= now:
        del tokens[next(iter(tokens))]
    text = letters(32)
    tokens[text] = LinkToken(user_id, now + TOKEN_SECONDS)
    return answer({"linkToken": text})


def _visitor(call: Call) -> Visitor | None:
    person = named(call.platform, call.query) or phone_owner(call.platform, call.headers)
    if person is not None:
        return person
    session = session_of(call.platform, call.headers)
    return None if session is None else Visitor(call.platform.users[session.user_id])


def _find(platform: Platform, text: str) -> tuple[Channel, LinkToken] | None:
    for channel in platform.channels.values():
        found = channel.store.of(LinkTokens).by_text.get(text)
        if found is not None:
            live = found.expires_at > platform.clock.now()
            return (channel, found) if live else None
    return None


@operation("GET", _DIALOG, auth=False, limit=None)
async def dialog(call: Call) -> Answer:
    """The dialog the bot's site leads to: is the visitor the one the link token was issued for?"""
    platform, query = call.platform, dict(call.query)
    lang = language(query, call.headers)
    title = word("link_title", lang)

    def end(key: str, *, good: bool = False, back: str | None = None) -> Answer:
        text = word(key, lang)
        return screens.notice(title, text, lang, good=good, back=back, status=200 if back else 400)

    if not SHORTEST_NONCE <= utf16_length(query.get("nonce", "")) <= LONGEST_NONCE:
        return end("link_nonce")
    text = query.get("linkToken", "")
    found = _find(platform, text)
    if found is None:
        return end("link_invalid")
    visitor = _visitor(call)
    if visitor is None:
        return screens.choose(platform, lang, title=title, path=_DIALOG, query=query)
    channel, token = found
    del channel.store.of(LinkTokens).by_text[text]
    ok = visitor.user.id == token.user_id
    event = events.account_link(platform, channel, token.user_id, query["nonce"], ok)
    events.post(platform, channel, token.user_id if ok else None, event)
    back = f"/phone/{visitor.user.id}?channel={channel.id}&lang={lang}"
    return end("linked" if ok else "link_failed", good=ok, back=back)
