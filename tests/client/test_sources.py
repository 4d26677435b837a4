"""Where connections come from when ports would run out."""

import socket
from pathlib import Path

import pytest

from tests.client.harness import HOST
from vaultstorm_client import sources
from vaultstorm_client.sources import ADDRESSES_MAX, addresses, bind, on_loopback, port_count
from vaultstorm_client.target import parse

LOOPBACK = parse("tcp://127.0.0.1:9")


@pytest.mark.parametrize(
    "connections, count",
    [(0, 1), (1, 1), (50, 1), (51, 2), (100, 2), (101, 3), (3200, 64), (99999, ADDRESSES_MAX)],
)
def test_addresses(connections: int, count: int) -> None:
    """Half of the ports of an address are used, then the next address."""
    chosen = addresses(LOOPBACK, connections, ports=100)
    assert len(chosen) == len(set(chosen)) == count
    assert chosen[0] is None
    for source in chosen[1:]:
        with socket.socket() as sock:
            bind(sock, source)
            assert sock.getsockname() == (source, 0)


@pytest.mark.parametrize("url", ["tcp://[::1]:9", "tcp://10.0.0.1:9"])
def test_no_choice(url: str) -> None:
    """Beyond IPv4 loopback the kernel chooses."""
    assert addresses(parse(url), 10**6, ports=100) == [None]


@pytest.mark.parametrize(
    "url, there",
    [("tcp://127.0.0.1:9", True), ("tcp://127.9.9.9:9", True), ("tcp://10.0.0.1:9", False),
     ("tcp://[::1]:9", False)],
)  # fmt: skip
def test_on_loopback(url: str, there: bool) -> None:
    """Other sources than the kernel's choice are for IPv4 loopback only."""
    assert on_loopback(parse(url).address) is there


def test_bound_connections() -> None:
    """A connection comes from the address it was bound to, through a port chosen by connect()."""
    with socket.create_server((HOST, 0)) as listener, socket.socket() as sock:
        bind(sock, "127.0.1.7")
        sock.connect(listener.getsockname())
        peer, address = listener.accept()
        peer.close()
    assert address[0] == "127.0.1.7"


@pytest.mark.parametrize("text, count", [("32768\t60999\n", 28232), ("5 5", 1), ("x", 28232)])
def test_port_count(text: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's own range counts, and its default where it cannot be read."""
    file = tmp_path / "range"
    file.write_text(text)
    monkeypatch.setattr(sources, "PORT_RANGE", file)
    assert port_count() == count
    file.unlink()
    assert port_count() == sources.DEFAULT_PORTS
