"""What this room adds to the road."""

from __future__ import annotations

from hiiki.kit.road import Room

room = Room(name="segments")
