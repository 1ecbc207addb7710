"""The relay's guard: no address of a network's inside, however it is written or resolved."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from hiiki.ingest.relay.guard import GuardedResolver, Refused, check_url, is_public
from hiiki.ingest.relay.post import Destination, Outcome, post, session
from hiiki.kit.forms import Wrong
from hiiki.kit.ids import uuid7
from hiiki.settings import settings
from ingest.receiver import receiving


@pytest.fixture(autouse=True)
def public(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The guard as a shop has it, whose own address is https://crm.example."""
    monkeypatch.delenv("HIIKI_RELAY_INSECURE", raising=False)
    monkeypatch.setenv("HIIKI_PUBLIC_URL", "https://crm.example")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.parametrize(
    "url",
    [
        "https://tool.example/webhook",
        "https://tool.example:8443/a?b=c",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "https://crm.example:8443/other-service",
        "https://xn--eckwd4c7cu47r2wf.jp/line",
    ],
)
def test_taken(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://tool.example/",
        "ftp://tool.example/",
        "//tool.example/",
        "tool.example",
        "https://",
        "https:///x",
        "https://user:pw@tool.example/",
        "https://user@tool.example/",
        "https://tool.example/#x",
        "https://tool.example/#",
        "https://tool.example:22/",
        "https://tool.example:80/",
        "https://tool.example:99999/",
        "https://tool.example:abc/",
        "https://crm.example/webhook/x",
        "https://CRM.example./webhook/x",
        "https://crm.example:443/",
        "https://localhost/",
        "https://db/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://0.0.0.0/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data/",
        "https://168.63.129.16/",
        "https://100.100.100.200/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:8.8.8.8]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b:1::1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:0:1::1]/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/",
        "https://[ff02::1]/",
        "https://tool.example\\@127.0.0.1/",
        "https://tool.example /",
        "https://tool.example/\r\nHost: x",
        "https://ツール.example/",
        "https://１２７.0.0.1/",
        "https://tool..example/",
    ],
)
def test_refused(url: str) -> None:
    with pytest.raises(Wrong):
        check_url(url)


@given(st.ip_addresses(v=4))
def test_every_way_to_write_an_ipv4_address(address: IPv4Address) -> None:
    number = int(address)
    nat64 = IPv6Address((0x64FF9B << 96) + number)
    six_to_four = IPv6Address((0x2002 << 112) + (number << 80) + 1)
    assert is_public(nat64) == is_public(six_to_four) == is_public(address)
    assert not is_public(IPv6Address((0xFFFF << 32) + number))  # IPv4-mapped
    assert not is_public(IPv6Address(number))  # IPv4-compatible


SPECIAL = st.sampled_from(
    ["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
     "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4", "fc00::/7", "fe80::/10",
     "ff00::/8", "::/96", "::ffff:0:0/96", "100::/64", "2001::/32", "2001:db8::/32"]
)  # fmt: skip


@given(SPECIAL.flatmap(lambda network: st.ip_addresses(network=network)))
def test_special_networks(address: IPv4Address | IPv6Address) -> None:
    assert not is_public(address)


@given(st.ip_addresses())
def test_never_laxer_than_the_standard_library(address: IPv4Address | IPv6Address) -> None:
    if is_public(address) and not str(address).startswith(("64:ff9b::", "2002:")):
        assert address.is_global
        assert not (address.is_multicast)
        assert not (address.is_loopback)
        assert not (address.is_link_local)


class Fake(AbstractResolver):
    """A name server that answers something else each time."""

    def __init__(self, port: int, *answers: list[str]) -> None:
        self.port, self.answers, self.asked = port, list(answers), 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily | int = 0
    ) -> list[ResolveResult]:
        self.asked += 1
        return [
            ResolveResult(
                hostname=host, host=address, port=self.port, proto=0, flags=0,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
            )
            for address in self.answers.pop(0)
        ]  # fmt: skip

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    "found",
    [["127.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["::1"], ["::ffff:10.0.0.1"], ["fe80::1%2"]],
)
async def test_a_name_that_leads_inside(found: list[str]) -> None:
    resolver = GuardedResolver(Fake(443, found))
    with pytest.raises(Refused):
        await resolver.resolve("tool.example", 443)


async def test_rebinding_gains_nothing() -> None:
    """The name is public when it was saved, and loopback when it is posted to."""
    async with receiving() as inside:
        port = int(inside.url.split(":")[2].split("/")[0])
        names = Fake(port, ["127.0.0.1"], ["127.0.0.1"])
        where = Destination(uuid7(), "https://tool.example/")
        async with session(names) as http:
            for _again in range(2):  # and no cache of names remembers a better answer
                assert await post(http, where, b"{}", "x") == Outcome(None, "not_public")
    assert names.asked == 2
    assert not inside.got
    assert not inside.refused


async def test_what_is_posted_to_is_checked_once_more() -> None:
    async with session() as http:
        for url in ("https://127.0.0.1/", "http://tool.example/", "https://crm.example/"):
            outcome = await post(http, Destination(uuid7(), url), b"{}", "x")
            assert outcome == Outcome(None, "refused_url")


def test_cases_are_addresses() -> None:
    assert is_public(ip_address("93.184.215.14"))
    assert is_public(ip_address("2606:4700::1111"))
