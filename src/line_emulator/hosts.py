"""Which hosts are one's own machine or network.

LINE wants HTTPS everywhere. Bots under development serve plain HTTP beside the emulator, so `http`
is allowed for hosts that no certificate authority would vouch for.
"""

from __future__ import annotations

import ipaddress

_LOCAL_SUFFIXES = (".localhost", ".local", ".test", ".internal", ".invalid")


def is_local(host: str) -> bool:
    """Whether the host is loopback, a private address, a bare name or reserved for local use."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(_LOCAL_SUFFIXES)
    return address.is_loopback or address.is_private
