"""How far LINE has prepared what people sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["image", "video", "audio", "file"]
Status = Literal["processing", "succeeded", "failed"]


@dataclass(slots=True)
class Prepared:
    """One sent file: ready at `ready_at` (seconds since 1970), or never if `fails`."""

    kind: Kind
    ready_at: float
    fails: bool = False

    def status(self, now: float) -> Status:
        """As "Verify the preparation status of a video or audio" tells it."""
        if now < self.ready_at:
            return "processing"
        return "failed" if self.fails else "succeeded"


@dataclass(slots=True)
class Preparing:
    """A channel's files by message id, and how long preparing takes, in seconds.

    LINE publishes no figures ("it may take some time" for large files), so by default everything is
    ready at once. `fails` lets the preparation of videos and audio fail from now on.
    """

    video_seconds: float = 0.0
    audio_seconds: float = 0.0
    fails: bool = False
    by_id: dict[str, Prepared] = field(default_factory=dict[str, Prepared])
