"""The error of acts, apart from them, so that what carries acts out can raise it."""

from __future__ import annotations


class ActError(Exception):
    """An act that a person could not do; the text says why."""
