"""Which addresses the relay may speak to: never this server's own network.

Whoever may add a target could otherwise make this server ask its neighbours, its
database or a cloud's metadata service (server-side request forgery). The name is resolved
here, every address found is checked, and the connection goes to what was checked: a
name that changes its address afterwards (DNS rebinding) gains nothing.

The special addresses are those of IANA's special-purpose registries (RFC 6890).
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from socket import AF_UNSPEC, AddressFamily
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from hiiki.kit.forms import Wrong
from hiiki.settings import settings

PORTS = (443, 8443)
"""Where https is served. Others are mostly something else's, on somebody else's machine."""
MAX_URL = 500
Address: TypeAlias = IPv4Address | IPv6Address

_NOT_PUBLIC_4 = [
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        # Public by its number, yet the inside of one cloud: Azure's host and metadata.
        "168.63.129.16/32",
    )
]
_GLOBAL_6 = ip_network("2000::/3")
"""All that IANA has given out for the internet; mapped, local and multicast lie outside."""
_NOT_PUBLIC_6 = [
    ip_network(network)
    for network in ("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20")
]
_NAT64 = ip_network("64:ff9b::/96")
_6TO4 = ip_network("2002::/16")
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]*\Z"
)


class Refused(OSError):
    """The address is not one that the relay may speak to."""


def is_public(address: Address) -> bool:
    """True when `address` is on the internet: not private, local, reserved or multicast."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if address.scope_id is not None:
        return False
    # Two ways to write an IPv4 address that routers turn back into one.
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    if address in _6TO4:
        return is_public(IPv4Address(int(address) >> 80 & 0xFFFFFFFF))
    return address in _GLOBAL_6 and not any(address in network for network in _NOT_PUBLIC_6)


def literal(host: str) -> Address | None:
    """Return the address that `host` is written as, or None when it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def check_url(url: str) -> str:
    """Return `url` when the relay may post there; raises `Wrong` with the reason.

    What a name resolves to is looked at when it is posted to, each time.
    """
    try:
        parts = urlsplit(url)
        port = _port(parts)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        raise _unreadable() from None
    if not url.isascii() or not url.isprintable() or set(' \\"<>^`{|}') & set(url):
        raise _unreadable()
    insecure = settings().relay_insecure
    if parts.scheme != "https" and not (insecure and parts.scheme == "http"):
        raise Wrong("Please enter an address that begins with https://.")
    if parts.username is not None or parts.password is not None:
        raise Wrong("Please leave name and password out of the address; use the header for them.")
    if parts.fragment or "#" in url:
        raise Wrong("Please leave out what follows the #: it is never sent.")
    if (host, port) == _own():
        raise Wrong("This is Hiiki's own address: events would go round in a circle.")
    if insecure:
        if not host:
            raise _unreadable()
        return url
    address = literal(host)
    if address is None and not _HOST_NAME.fullmatch(host):
        raise _unreadable()
    if address is not None and not is_public(address):
        raise Wrong("This is an address inside a network. The relay posts to public ones only.")
    if port not in PORTS:
        raise Wrong("Please use port 443 or 8443.")
    return url


def _unreadable() -> Wrong:
    return Wrong("Please enter an address such as https://example.com/webhook.")


def _port(parts: SplitResult) -> int:
    return parts.port or (80 if parts.scheme == "http" else 443)


def _own() -> tuple[str, int]:
    own = urlsplit(settings().public_url)
    return own.hostname or "", _port(own)


class GuardedResolver(AbstractResolver):
    """Finds a name's addresses, and refuses the name if any of them is not public.

    What it returns is what aiohttp connects to; the connector keeps no cache beside it.
    """

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily | int = AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of `host`; raises `Refused` when one must not be spoken to."""
        found = await self._inner.resolve(host, port, AddressFamily(family))
        if not settings().relay_insecure:
            for each in found:
                address = literal(each["host"])
                if address is None or not is_public(address):
                    raise Refused("not a public address")
        return found

    async def close(self) -> None:
        """Let go of the resolver beneath."""
        await self._inner.close()
