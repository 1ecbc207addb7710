"""By what the shop's own systems name people, and in which form that is compared."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TypeAlias

from hiiki.kit.phones import e164

KINDS = ("customer", "line", "email", "phone")
"""The strongest first."""
KEY_LIMIT = 200

Key: TypeAlias = tuple[str, str]

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LINE_USER_ID = re.compile(r"U[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Keys:
    """By what one row names a person; empty is what it does not say. As typed, in any form."""

    customer: str = ""
    """The shop's own number of the customer."""
    email: str = ""
    phone: str = ""
    line_user_id: str = ""


def normal(keys: Keys, country: str = "JP") -> list[Key]:
    """Return the keys in the form in which they are compared, the strongest first.

    What is none (an e-mail without an @, a LINE user id of another shape than the Messaging API
    reference's `U[0-9a-f]{32}`) is left out.
    """
    found: list[Key] = []
    if keys.customer and (customer := " ".join(_flat(keys.customer).split())):
        found.append(("customer", customer[:KEY_LIMIT]))
    if keys.line_user_id:
        line = _flat(keys.line_user_id).strip()
        if _LINE_USER_ID.fullmatch(line):
            found.append(("line", line))
    if keys.email:
        email = _flat(keys.email).strip().lower()
        if len(email) <= KEY_LIMIT and _EMAIL.fullmatch(email):
            found.append(("email", email))
    if keys.phone and (phone := e164(keys.phone, country)):
        found.append(("phone", phone))
    return found


def _flat(typed: str) -> str:
    # Most is ASCII already. PostgreSQL takes no NUL.
    return (typed if typed.isascii() else unicodedata.normalize("NFKC", typed)).replace("\x00", "")
