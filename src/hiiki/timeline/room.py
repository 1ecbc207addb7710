"""What this room adds to the road."""

from __future__ import annotations

from hiiki.kit.road import Room
from hiiki.timeline import api, views

room = Room(name="timeline", pages=views.HANDLERS, api=api.HANDLERS)
