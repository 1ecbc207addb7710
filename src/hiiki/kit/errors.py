"""One base for everything that can go wrong in a way a person should hear about.

An error knows its HTTP status, a stable code for programs, a sentence for people and,
where there are any, the fields that caused it. `web` turns it into the one JSON shape
of the API or into words on the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from hiiki.kit.i18n import Text, _


class HiikiError(Exception):
    """Base of all errors that are meant to be shown."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    default: ClassVar[Text] = _("Something went wrong on our side. Please try again.")

    def __init__(
        self, message: Text | None = None, fields: Mapping[str, Text] | None = None
    ) -> None:
        self.message = message or self.default
        self.fields = dict(fields or {})
        super().__init__(self.message.english % dict(self.message.values))

    def to_json(self, locale: str) -> dict[str, Any]:
        """Return the API's error shape, in `locale`."""
        return {
            "error": {
                "code": self.code,
                "message": self.message.to(locale),
                "fields": [
                    {"path": path, "message": text.to(locale)} for path, text in self.fields.items()
                ],
            }
        }


class Invalid(HiikiError):
    """Input that cannot be taken; `fields` says which field and what to do."""

    status = 422
    code = "invalid"
    default = _("Please check the marked fields.")


class NotFound(HiikiError):
    """No such thing, or it belongs to another workspace: the two are told apart nowhere."""

    status = 404
    code = "not_found"
    default = _("This does not exist, or is not yours to see.")


class Forbidden(HiikiError):
    """The person's role does not allow it."""

    status = 403
    code = "forbidden"
    default = _("Your role does not allow this. Please ask the owner of the workspace.")


class Untrusted(HiikiError):
    """A form came without its token: an old page, or another site's doing."""

    status = 403
    code = "csrf"
    default = _("This page has been open for too long. Please load it again and try once more.")


class BadRequest(HiikiError):
    """A request that cannot even be read, such as broken JSON."""

    status = 400
    code = "bad_request"
    default = _("The request could not be read.")


class NotAllowed(HiikiError):
    """The address exists, but not for this method."""

    status = 405
    code = "method_not_allowed"
    default = _("This address does not take requests of this method.")


class TooSlow(HiikiError):
    """A request whose body did not arrive in time."""

    status = 408
    code = "too_slow"
    default = _("The request took too long to arrive.")


class TooLarge(HiikiError):
    """More bytes than this address takes."""

    status = 413
    code = "too_large"
    default = _("This is too large. Please send a smaller file or less text.")


class Unauthenticated(HiikiError):
    """Nobody is logged in, or the token is not valid."""

    status = 401
    code = "unauthenticated"
    default = _("Please log in.")


class Conflict(HiikiError):
    """What is asked for does not fit the present state, e.g. deleting what is in use."""

    status = 409
    code = "conflict"
    default = _("This cannot be done in its present state.")


class TooMany(HiikiError):
    """Too many attempts in too short a time."""

    status = 429
    code = "too_many"
    default = _("Too many attempts. Please wait a moment and try again.")


class Unavailable(HiikiError):
    """Something Hiiki needs (its database, LINE) does not answer at present."""

    status = 503
    code = "unavailable"
    default = _("The service is not available at present. Please try again in a moment.")
