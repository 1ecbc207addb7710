"""The demo: a shop's story, played against the LINE emulator with simulated friends.

Every part is the real one: `hiiki web` and `hiiki worker` as processes, PostgreSQL, the
emulator over HTTP. The two shops are set up through the API, as an integrator would. In
the end it compares what the emulator's phones received with who should have received it.
"""

from hiiki.demo.run import play

__all__ = ["play"]
