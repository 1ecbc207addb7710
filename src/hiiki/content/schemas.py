"""What programs send to, and get from, the API of this room."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from hiiki.content.building import media_url
from hiiki.content.models import Media


class MediaOut(BaseModel):
    """An image of the library."""

    id: UUID
    name: str
    content_type: str
    width: int
    height: int
    size: int
    """Bytes."""
    url: str
    preview_url: str
    created_at: datetime

    @classmethod
    def of(cls, media: Media) -> MediaOut:
        """Return `media` as the API shows it."""
        return cls(
            id=media.id,
            name=media.name,
            content_type=media.content_type,
            width=media.width,
            height=media.height,
            size=media.size,
            url=media_url(media.key),
            preview_url=media_url(media.key, "preview"),
            created_at=media.created_at,
        )


class MediaPage(BaseModel):
    """Images, newest first; `next` is the `before` of the next page."""

    items: list[MediaOut]
    next: UUID | None


class Checked(BaseModel):
    """A draft as LINE would get it, with variables still in it when it is personal."""

    messages: list[dict[str, Any]]
    personal: bool
