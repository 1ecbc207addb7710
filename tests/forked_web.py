"""The web application, put together once in the fork server (`forked`): that takes a second.

What it is made of depends on none of the settings in which the tests' processes differ.
"""

from __future__ import annotations

import hiiki.web.app

_app = hiiki.web.app.create_app()


def use() -> None:
    """Let this process's web server serve the application that is there already."""
    hiiki.web.app.create_app = lambda: _app  # type: ignore[assignment]
