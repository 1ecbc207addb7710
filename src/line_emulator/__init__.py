"""LINE's bot platform on one's own machine, for development and tests.

A stand-alone package: it knows nothing of the bots that use it. Start it with `line-emulator serve`
or in-process with `Emulator`, and drive its simulated people with `EmulatorClient`.
"""

from __future__ import annotations

from .client import EmulatorClient, EmulatorError
from .emulator import Emulator

__all__ = ["Emulator", "EmulatorClient", "EmulatorError"]
