"""The control plane's socket."""

import pytest

from vaultstorm_server.admin.bind import bind, url
from vaultstorm_wire.errors import MachineError, UsageError


def test_port_zero_is_any_that_is_free_and_the_url_tells_which() -> None:
    """Two sockets of port 0 have two ports, both on 127.0.0.1."""
    with bind(0) as one, bind(0) as two:
        assert url(one) == f"http://127.0.0.1:{one.getsockname()[1]}"
        assert url(one) != url(two)


def test_a_port_that_is_taken_is_the_machines_refusal() -> None:
    """The message names the port and the option that takes another."""
    with bind(0) as taken, pytest.raises(MachineError, match="--admin-port"):
        bind(taken.getsockname()[1])


@pytest.mark.parametrize("port", [-1, 65536])
def test_what_is_no_port_is_wrong_usage(port: int) -> None:
    """One below and one above the range are refused."""
    with pytest.raises(UsageError, match=str(port)):
        bind(port)
