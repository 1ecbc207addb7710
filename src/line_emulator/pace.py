"""How long LINE's work in the background takes here, and whether it fails.

LINE takes minutes, sometimes hours, and publishes no figures; a developer wants to see every phase
and not wait. `PATCH /_emulator/pace` sets other times.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Pace:
    """Times in seconds, by the emulated clock.

    An audience's job is queued for `audience_queued`, then runs for `audience_working`; a
    narrowcast waits for `narrowcast_waiting`, then reaches `narrowcast_per_second` people a second
    (0: as fast as the machine can). So many of the next audience jobs and narrowcasts fail as are
    named by `fail_audiences` and `fail_narrowcasts`, the latter with `narrowcast_error` (LINE's
    `errorCode`).
    """

    audience_queued: float = 0.1
    audience_working: float = 0.2
    narrowcast_waiting: float = 0.3
    narrowcast_per_second: float = 0.0
    fail_audiences: int = 0
    fail_narrowcasts: int = 0
    narrowcast_error: int = 1
