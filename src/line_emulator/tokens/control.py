"""Assertion signing keys by the control API: what "Register a public key" is on LINE's console."""

from __future__ import annotations

from ..control.route import Ask, ControlError, control
from ..model import Json
from .assertion import KeyRefused, register
from .store import AssertionKeys, Issuer, issuer

_PATH = "/_emulator/channels/{channel}/assertion-keys"


def _channel(ask: Ask) -> Issuer:
    wanted = ask.request.match_info["channel"]
    found = issuer(ask.platform, wanted)
    if found is None:
        raise ControlError(f"no such channel: {wanted}", 404)
    return found


@control(
    "POST",
    _PATH,
    "Register an assertion signing key",
    body={"type": "object", "description": "the public key as JWK, RSA with 2048 bits"},
    returns="The key's `kid`",
)
async def add(ask: Ask) -> Json:
    """The channel, of Messaging API or LINE Login, may prove itself with this key from now on."""
    try:
        return {"kid": register(ask.platform, _channel(ask).id, ask.object())}
    except KeyRefused as error:
        raise ControlError(str(error)) from None


@control("GET", _PATH, "List assertion signing keys", returns="The keys with their `kid`")
async def listing(ask: Ask) -> Json:
    """The public keys of a channel."""
    keys, wanted = ask.platform.store.of(AssertionKeys), _channel(ask).id
    owned = [kid for kid, owner in keys.owner.items() if owner == wanted]
    return {"keys": [keys.by_kid[kid] | {"kid": kid} for kid in owned]}


@control("DELETE", _PATH + "/{kid}", "Delete an assertion signing key")
async def delete(ask: Ask) -> Json:
    """Tokens issued with the key stay valid."""
    keys, kid = ask.platform.store.of(AssertionKeys), ask.request.match_info["kid"]
    if keys.owner.get(kid) != _channel(ask).id:
        raise ControlError(f"no such key: {kid}", 404)
    del keys.owner[kid], keys.by_kid[kid]
    return {}
