"""Keeping an emulator's state in a file, so that it outlives the process."""

from __future__ import annotations

from .file import StateError, StateFile
from .keeper import Keeper
from .snapshot import restore, snapshot

__all__ = ["Keeper", "StateError", "StateFile", "restore", "snapshot"]
