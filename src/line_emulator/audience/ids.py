"""Whom an uploaded id means: a user id, or an identifier for advertisers (IFA).

Simulated people have no IFA unless their attribute `ifa` gives them one. An id that is well formed
but nobody's is ignored, as LINE ignores people who have not agreed to its privacy policy.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..ids import USER_ID, UUID
from ..platform import Platform
from .crowds import mask_of


class Ids:
    """Reads the ids of one upload. It knows the people there are when it is made."""

    def __init__(self, platform: Platform, is_ifa: bool) -> None:
        self.size = len(platform.user_order)
        self._users = platform.users
        self._ifas: dict[str, int] | None = None
        if is_ifa:
            self._ifas = {}
            for user in platform.user_order:
                ifa = user.attributes.get("ifa") if user.attributes else None
                if isinstance(ifa, str):
                    self._ifas[ifa.lower()] = user.index
        self._shape = UUID if is_ifa else USER_ID

    def well_formed(self, one: str) -> bool:
        """Whether this is an id of the kind at all."""
        return self._shape.fullmatch(one) is not None

    def index(self, one: str) -> int | None:
        """The `User.index` of the person meant, or None."""
        if self._ifas is not None:
            return self._ifas.get(one.lower())
        user = self._users.get(one)
        # People may be created while a big file is read.
        return user.index if user is not None and user.index < self.size else None

    def mask(self, several: Iterable[str]) -> int:
        """All people meant, as a set."""
        found = (self.index(one) for one in several)
        return mask_of((index for index in found if index is not None), self.size)
