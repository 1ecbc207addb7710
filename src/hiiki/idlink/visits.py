"""Who is on the customers' pages: a sealed cookie, for half an hour.

Somebody comes by the button in the chat, whose ticket says for whom the message was, or by LINE
Login. A ticket is no proof: a message can be passed on. So what is done by a ticket ends at
LINE's own dialog, which looks at who is really there (`hiiki.idlink.passes`); after a LINE Login
nothing more is needed.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from dataclasses import asdict, dataclass
from typing import Any, TypeVar
from uuid import UUID

from litestar.datastructures import Cookie

from hiiki.contacts.models import Contact
from hiiki.db import WorkspaceSession
from hiiki.idlink.phrases import Words, language_of
from hiiki.idlink.service import setting_of
from hiiki.kit.errors import Unavailable
from hiiki.kit.pages import WebRequest
from hiiki.settings import settings
from hiiki.workspace.seal import seal, unseal

LIVES = 30 * 60
"""Seconds."""
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody on our pages."""

    workspace: str
    channel: str
    """The official account; "" where it is not known yet."""
    contact: str = ""
    """Who it is; "" before a LINE Login."""
    is_proved: bool = False
    """True after a LINE Login in this browser."""
    place: str = ""
    language: str = ""

    @property
    def workspace_id(self) -> UUID:
        """The workspace whose page it is."""
        return UUID(self.workspace)

    @property
    def contact_id(self) -> UUID | None:
        """Who it is, as far as is known."""
        return UUID(self.contact) if self.contact else None

    @property
    def channel_id(self) -> UUID | None:
        """The official account."""
        return UUID(self.channel) if self.channel else None


@dataclass(frozen=True, slots=True)
class Underway:
    """A LINE Login that has begun in this browser."""

    workspace: str
    login: str
    """The id of our `LoginChannel`."""
    state: str
    nonce: str
    verifier: str
    place: str = ""
    language: str = ""
    is_second: bool = False
    """True when auto login has failed before."""


T = TypeVar("T", Visit, Underway)
_NAMES = {Visit: "hiiki_id_link", Underway: "hiiki_id_login"}


def cookie_of(what: Visit | Underway) -> Cookie:
    """Return the cookie that keeps it in this browser, unreadable and unchangeable there."""
    told = json.dumps({"at": int(time.time()), **asdict(what)})
    sealed = base64.urlsafe_b64encode(seal(told, _NOBODY, _NAMES[type(what)])).decode()
    return _cookie(_NAMES[type(what)], sealed, LIVES)


def no_cookie(kind: type[Visit | Underway]) -> Cookie:
    """Return the cookie that makes the browser forget."""
    return _cookie(_NAMES[kind], "", 0)


def _cookie(name: str, value: str, seconds: int) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        path="/id-link",
        max_age=seconds,
        httponly=True,
        # LINE's page leads back by a link, so the cookie must come along: "lax".
        samesite="lax",
        secure=settings().cookies_are_secure,
    )


def read(request: WebRequest, kind: type[T]) -> T | None:
    """Return what this browser keeps, or None when there is nothing or it is too old."""
    value = request.cookies.get(_NAMES[kind], "")
    if not value:
        return None
    try:
        sealed = base64.urlsafe_b64decode(value.encode("ascii"))
        told: dict[str, Any] = json.loads(unseal(sealed, _NOBODY, _NAMES[kind]))
        if time.time() - told.pop("at") > LIVES:
            return None
        return kind(**told)
    except (Unavailable, binascii.Error, ValueError, TypeError, KeyError):
        return None


async def words_for(
    session: WorkspaceSession,
    contact_id: UUID | None,
    *,
    wanted: str | None = None,
    accepted: str = "",
    otherwise: str = "ja",
) -> Words:
    """Return the phrases in the person's language: chosen, LINE's, the browser's."""
    contact = await session.get(Contact, contact_id) if contact_id else None
    accepted_tags = [part.partition(";")[0] for part in accepted.split(",")]
    for tag in (wanted, contact.language if contact else None, *accepted_tags, otherwise):
        language = language_of(tag)
        if language is not None:
            break
    else:
        language = "ja"
    setting = await setting_of(session)
    return Words(language, setting.texts if setting else None)
