"""No secret reaches a log line, by its name or by its looks."""

from __future__ import annotations

import pytest

from hiiki.kit.logs import REDACTED, redact

TOKEN = "hiiki_" + "Ab3-_" * 9


@pytest.mark.parametrize(
    "line",
    [
        {"token": "s3cr3t"},
        {"channel_secret": "s3cr3t"},
        {"password": "s3cr3t", "new_password": "s3cr3t"},
        {"headers": {"Authorization": "s3cr3t", "cookie": "s3cr3t"}},
        {"rows": [{"access_token": "s3cr3t"}]},
        {"event": "called with Authorization: Bearer s3cr3t"},
        {"exception": "Traceback …\nCookie: hiiki_session=s3cr3t; other=1"},
        {"url": "https://example.com/?access_token=s3cr3t&x=1"},
        {"x-line-signature": "s3cr3t"},
    ],
)
def test_secrets_are_redacted(line: dict[str, object]) -> None:
    assert "s3cr3t" in str(line)
    cleaned = redact(None, "info", dict(line))
    assert "s3cr3t" not in str(cleaned)
    assert REDACTED in str(cleaned)


def test_our_tokens_are_known_by_their_looks() -> None:
    assert TOKEN not in str(redact(None, "info", {"event": f"got {TOKEN} today"}))


def test_the_rest_is_left_alone() -> None:
    line = {"event": "send.done", "parcels": 3, "why": None, "token": None, "at": [1, "二"]}
    assert redact(None, "info", dict(line)) == line
