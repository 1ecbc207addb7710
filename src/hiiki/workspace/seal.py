"""Credentials at rest: AES-256-GCM under the key of `settings().sealing_key()`.

What is sealed for one row and one purpose opens nowhere else: the row's id and the
purpose are its associated data, so a sealed token cannot be moved to another channel.
"""

from __future__ import annotations

import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hiiki.kit.errors import Unavailable
from hiiki.kit.i18n import _
from hiiki.settings import settings

_VERSION = b"\x01"
_NONCE_BYTES = 12


def seal(text: str, ident: UUID, purpose: str) -> bytes:
    """Return `text`, readable only with the key, this row's `ident` and this `purpose`."""
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(settings().sealing_key()).encrypt(nonce, text.encode(), _bound(ident, purpose))
    return _VERSION + nonce + sealed


def unseal(sealed: bytes, ident: UUID, purpose: str) -> str:
    """Return what was sealed; raises `Unavailable` when the key is another one."""
    nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        if sealed[:1] != _VERSION:
            raise InvalidTag
        return (
            AESGCM(settings().sealing_key()).decrypt(nonce, body, _bound(ident, purpose)).decode()
        )
    except (InvalidTag, ValueError) as error:
        raise Unavailable(
            _(
                "The stored credentials cannot be opened: the sealing key is not the one they "
                "were sealed with. Restore the key file, or enter the credentials again."
            )
        ) from error


def _bound(ident: UUID, purpose: str) -> bytes:
    return ident.bytes + purpose.encode()
