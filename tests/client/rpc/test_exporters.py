"""Where an activation may send its calls."""

import socket
from typing import Any

import pytest

from vaultstorm_client.rpc.exporters import _NAMES_MAX, Exporters, Unreachable
from vaultstorm_client.target import parse
from vaultstorm_wire.dcerpc.objref import StringBinding


def bindings(*addresses: str) -> list[StringBinding]:
    """Give string bindings of ncacn_ip_tcp."""
    return [StringBinding(7, address) for address in addresses]


@pytest.mark.parametrize(
    "target, offered, chosen",
    [
        ("127.0.0.1", ["127.0.0.1[1]"], "127.0.0.1:1"),
        ("127.0.0.1", ["127.0.0.1[65535]"], "127.0.0.1:65535"),
        ("127.0.0.1", ["10.1.2.3[99]"], "10.1.2.3:99"),
        ("127.0.0.1", ["10.1.2.3[99]", "127.0.0.1[98]"], "127.0.0.1:98"),
        ("127.0.0.1", ["10.1.2.3[99]", "192.168.0.1[98]"], "10.1.2.3:99"),
        ("127.0.0.1", ["8.8.8.8[99]", "10.1.2.3[98]"], "10.1.2.3:98"),
        ("localhost", ["LOCALHOST[5]"], "127.0.0.1:5"),
        ("127.0.0.1", ["localhost[5]"], "127.0.0.1:5"),
        ("127.0.0.1", ["nowhere.invalid[5]", "127.0.0.1[6]"], "127.0.0.1:6"),
        ("[::1]", ["[::1][7]"], "[::1]:7"),
        ("[::1]", ["::1[7]"], "[::1]:7"),
        ("[::1]", ["0:0:0:0:0:0:0:1[7]"], "[::1]:7"),
        ("[::1]", ["127.0.0.1[7]"], "127.0.0.1:7"),
        ("127.0.0.1", ["::1[7]"], "[::1]:7"),
        ("127.0.0.1", ["fe80::1%eth0[7]", "::1[8]"], "[::1]:8"),
        ("[::ffff:127.0.0.1]", ["127.0.0.1[7]"], "[::ffff:127.0.0.1]:7"),
    ],
)
def test_chosen(
    target: str, offered: list[str], chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host that was reached comes first, then the first address or name that may be used."""
    known = {"localhost": "127.0.0.1"}

    def resolve(name: str, *_: Any, **__: Any) -> list[Any]:
        if name == "nowhere.invalid":
            raise socket.gaierror
        return real(known.get(name, name), *_, **__)

    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    where = Exporters(parse(f"rpc://{target}")).choose(bindings(*offered))
    assert where.text == chosen == str(where.address)


@pytest.mark.parametrize(
    "offered",
    [
        [],
        [""],
        ["127.0.0.1"],
        ["127.0.0.1[]"],
        ["127.0.0.1[0]"],
        ["127.0.0.1[65536]"],
        ["127.0.0.1[999999]"],
        ["127.0.0.1[x]"],
        ["127.0.0.1[80] "],
        ["0.0.0.0[80]"],
        ["255.255.255.255[80]"],
        ["224.0.0.1[80]"],
        ["8.8.8.8[80]"],
        ["::[80]"],
        ["ff02::1[80]"],
        ["2001:4860:4860::8888[80]"],
        ["::ffff:8.8.8.8[80]"],
        ["fe80::1%eth0[80]"],
        ["a b[80]"],
        ["a\n[80]"],
        ["x" * 300 + "[80]"],
        ["\u202e[80]" * 100],
    ],
)
def test_nowhere(offered: list[str]) -> None:
    """What is no address, or none of private networks, is not gone to; it is shown, and short."""
    with pytest.raises(Unreachable) as caught:
        Exporters(parse("rpc://127.0.0.1")).choose(bindings(*offered))
    assert str(caught.value).isprintable()
    assert str(caught.value).isascii()
    assert len(str(caught.value)) < 300


def test_other_protocols() -> None:
    """Only bindings of ncacn_ip_tcp count."""
    choice = Exporters(parse("rpc://127.0.0.1"))
    with pytest.raises(Unreachable, match="none is of TCP"):
        choice.choose([StringBinding(8, "127.0.0.1[80]"), StringBinding(15, "127.0.0.1[80]")])


def test_remote_ones_are_allowed_by_name_only() -> None:
    """With --allow-remote the server may name any single host."""
    choice = Exporters(parse("rpc://127.0.0.1", allow_remote=True))
    assert choice.choose(bindings("8.8.8.8[80]")).text == "8.8.8.8:80"
    for nobody in ("0.0.0.0[80]", "224.0.0.1[80]"):
        with pytest.raises(Unreachable):
            choice.choose(bindings(nobody))


@pytest.mark.parametrize("target", ["10.1.2.3", "[fe80::1]", "8.8.8.8"])
@pytest.mark.parametrize("offered", ["127.0.0.1[80]", "127.1.2.3[80]", "::1[80]", "[::1][80]"])
def test_another_machine_does_not_send_us_to_our_own_ports(target: str, offered: str) -> None:
    """Its loopback address is not ours, whatever is allowed; the next one counts."""
    choice = Exporters(parse(f"rpc://{target}", allow_remote=True))
    with pytest.raises(Unreachable):
        choice.choose(bindings(offered))
    assert choice.choose(bindings(offered, "10.1.2.4[81]")).text == "10.1.2.4:81"


def test_a_name_is_looked_up_once_and_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server cannot keep the burst busy with names."""
    asked: list[str] = []

    def resolve(name: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(name)
        return []

    choice = Exporters(parse("rpc://127.0.0.1"))
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    for nth in range(_NAMES_MAX + 3):
        for _ in range(2):
            with pytest.raises(Unreachable):
                choice.choose(bindings(f"host{nth}[80]"))
    assert asked == [f"host{nth}" for nth in range(_NAMES_MAX)]


def test_the_choice_is_remembered() -> None:
    """The same bindings give the same place, as they do for all clients of a burst."""
    choice = Exporters(parse("rpc://127.0.0.1"))
    first = choice.choose(bindings("127.0.0.1[80]"))
    assert choice.choose(bindings("127.0.0.1[80]")) is first
    for nth in range(1, 2 * _NAMES_MAX):
        assert choice.choose(bindings(f"127.0.0.1[{nth}]")).address.sockaddr[1] == nth
