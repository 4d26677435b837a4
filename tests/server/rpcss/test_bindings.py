"""What clients are told of where to connect."""

import socket

from vaultstorm_server.rpcss.bindings import bindings
from vaultstorm_wire.dcerpc.objref import TOWER_TCP


def addresses(host: str, port: int) -> list[str]:
    """Give the addresses of the string bindings, all of TCP."""
    found = bindings(host, port)
    assert {binding.tower for binding in found.strings} == {TOWER_TCP}
    assert found.security == ()
    return [binding.address for binding in found.strings]


def test_the_address_that_worked_comes_first() -> None:
    """Then the machine's name, and on loopback the name that it has there."""
    name = socket.gethostname()
    assert addresses("127.0.0.1", 5000) == [
        "127.0.0.1[5000]",
        f"{name}[5000]",
        "localhost[5000]",
    ]


def test_elsewhere_nobody_is_sent_to_localhost() -> None:
    """It would be the client's own machine."""
    assert addresses("192.0.2.7", 5000) == ["192.0.2.7[5000]", f"{socket.gethostname()}[5000]"]


def test_the_resolvers_port_goes_without_saying() -> None:
    """135 is no endpoint that a client has to be told; another port is."""
    assert addresses("192.0.2.7", 135)[0] == "192.0.2.7"
    assert addresses("192.0.2.7", 11135)[0] == "192.0.2.7[11135]"


def test_no_name_is_given_twice() -> None:
    """Where the address is the machine's name, it is there once."""
    name = socket.gethostname()
    assert addresses(name, 5000) == [f"{name}[5000]"]
