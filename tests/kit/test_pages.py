"""Addresses that may be followed, and who is asking."""

from __future__ import annotations

import pytest
from litestar.testing import RequestFactory

from hiiki.kit.pages import client_address, inside


@pytest.mark.parametrize("url", ["/", "/tags?q=1#x", "/友だち"])
def test_our_own_addresses_are_followed(url: str) -> None:
    assert inside(url) == url


@pytest.mark.parametrize(
    "url", ["", None, "tags", "//evil.example", "/\\evil.example", "https://x", "/a\nb", "/\t/x"]
)
def test_others_are_not(url: str | None) -> None:
    assert inside(url, "/home") == "/home"


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.5", None, "203.0.113.5"),
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.2", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("::1", "2001:db8::1", "2001:db8::1"),
    ],
)
def test_only_a_near_proxy_is_believed(peer: str, forwarded: str | None, address: str) -> None:
    request = RequestFactory().get(headers={"x-forwarded-for": forwarded} if forwarded else {})
    request.scope["client"] = (peer, 1)
    assert client_address(request) == address
