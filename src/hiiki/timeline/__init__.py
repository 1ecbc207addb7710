"""The append-only record of what happened with each contact."""

from hiiki.timeline.models import Event
from hiiki.timeline.service import of_contact, record

__all__ = ["Event", "of_contact", "record"]
