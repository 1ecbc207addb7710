"""Tickets: the part of a tracked link that says who was sent it.

A ticket is the contact's id and a keyed digest over it and the link's code, so it cannot
be made up, carried over to another link or changed into somebody else's, and no row per
recipient is needed: a million links cost nothing to store.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from functools import lru_cache
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hiiki.settings import settings

_DIGEST = 8
"""Bytes of the digest: 2⁶⁴ guesses, each of which would be a request to this server."""
LENGTH = 32
"""Characters of a ticket: 24 bytes in base64."""


@lru_cache(maxsize=4)
def _derived(sealing_key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(sealing_key)


@lru_cache(maxsize=1)
def _sealing_key(_data_dir: str, _key_file: str) -> bytes:
    # Read once: a million tickets must not open a file a million times.
    return settings().sealing_key()


def key(purpose: str) -> bytes:
    """Return the key for one `purpose`, derived from the sealing key; raises `OSError`."""
    now = settings()
    return _derived(_sealing_key(str(now.data_dir), str(now.key_file)), purpose)


def ticket(code: str, contact_id: UUID) -> str:
    """Return the ticket of this contact for the link with this code."""
    return _ticket(key("hiiki link tickets"), code.encode(), contact_id.bytes)


def tickets(code: str, contact_ids: list[UUID]) -> list[str]:
    """Return the tickets of many contacts for one link, in order."""
    secret, name = key("hiiki link tickets"), code.encode()
    return [_ticket(secret, name, contact_id.bytes) for contact_id in contact_ids]


def _ticket(secret: bytes, code: bytes, contact: bytes) -> str:
    digest = hmac.digest(secret, code + b"/" + contact, "sha256")[:_DIGEST]
    return base64.urlsafe_b64encode(contact + digest).decode()


def contact_of(code: str, text: str) -> UUID | None:
    """Return the contact whose ticket for this link `text` is, or None if it is nobody's."""
    if len(text) != LENGTH:
        return None
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii"))
    except (binascii.Error, ValueError):
        return None
    if len(raw) != 16 + _DIGEST:
        return None
    contact_id = UUID(bytes=raw[:16])
    return contact_id if hmac.compare_digest(ticket(code, contact_id), text) else None
