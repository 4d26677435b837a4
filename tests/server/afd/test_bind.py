"""Binding, and the sentences for when it is not to be."""

import errno
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from vaultstorm_server.afd.bind import bind, name, reachable, ways_out
from vaultstorm_wire.errors import MachineError, UsageError

PRIVILEGED_BELOW = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())


@pytest.mark.parametrize(
    "host, url",
    [
        ("127.0.0.1", "https://127.0.0.1:443"),
        ("::1", "https://[::1]:443"),
        ("0.0.0.0", "https://127.0.0.1:443"),
        ("::", "https://[::1]:443"),
    ],
)
def test_a_url_is_one_that_a_client_can_use(host: str, url: str) -> None:
    """IPv6 addresses stand in brackets; the wildcard addresses are no place to connect to."""
    assert reachable("https", host, 443) == url


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_an_automatic_port_survives_a_pause(host: str) -> None:
    """The port stays when the listener is shut down and opened again."""
    with bind(host, 0) as sock:
        port = sock.getsockname()[1]
        sock.listen()
        sock.shutdown(socket.SHUT_RD)
        sock.listen()

        assert port != 0
        assert sock.getsockname()[1] == port
        with socket.create_connection((host, port)):
            pass


def test_a_given_port_is_bound() -> None:
    """The port that was asked for is the one it gets."""
    with bind("127.0.0.1", 0) as scout:
        port = scout.getsockname()[1]

    with bind("127.0.0.1", port) as sock:
        assert sock.getsockname() == ("127.0.0.1", port)


def test_a_taken_port_is_explained() -> None:
    """The message names the address and three ways out."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(MachineError) as caught:
            bind("127.0.0.1", port)

    text = str(caught.value)
    assert text.startswith(f"127.0.0.1:{port} is taken: ")
    assert "another --port" in text
    assert "--port 0" in text
    assert f"ss -ltnp 'sport = :{port}'" in text


def test_an_address_of_another_machine_is_explained() -> None:
    """RFC 5737 keeps 192.0.2.1 from being anybody's."""
    with pytest.raises(MachineError, match=r"cannot listen on 192\.0\.2\.1:0: .*ip -brief address"):
        bind("192.0.2.1", 0)


def test_an_unknown_name_is_explained() -> None:
    """RFC 6761 keeps .invalid from being resolved."""
    with pytest.raises(MachineError, match=r"'no\.such\.invalid' is not known here: give an IP"):
        bind("no.such.invalid", 0)


@pytest.mark.parametrize("port", [-1, 65536])
def test_what_is_no_port_is_wrong_usage(port: int) -> None:
    """The message says what would be a port."""
    with pytest.raises(UsageError, match=rf"--port {port} is not a port: give 0 .* to 65535"):
        bind("127.0.0.1", port)


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM])
def test_a_port_that_is_not_permitted_is_explained(code: int) -> None:
    """The three ways to 443 are named."""
    text = ways_out(OSError(code, ""), "127.0.0.1", 443)

    assert "port 443 is not permitted" in text
    assert "sysctl net.ipv4.ip_unprivileged_port_start=0" in text
    assert "setcap cap_net_bind_service" in text
    assert "a higher --port, such as 8443" in text


@pytest.mark.skipif(PRIVILEGED_BELOW <= 443, reason="443 is permitted to everybody here")
def test_443_is_refused_to_somebody_without_the_permission() -> None:
    """A process that has no capabilities gets the sentence, not a traceback."""
    program = (
        "import os\n"
        "from vaultstorm_server.afd.bind import bind\n"
        "from vaultstorm_wire.errors import MachineError\n"
        "bind('127.0.0.1', 0).close()\n"  # imports what it needs while files can be read
        "os.getuid() or os.setuid(65534)\n"
        "try:\n    bind('127.0.0.1', 443)\n"
        "except MachineError as error:\n    os.write(1, str(error).encode())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    assert done.stdout.startswith("port 443 is not permitted to you")


@pytest.mark.parametrize(
    "address, text", [(("127.0.0.1", 443), "127.0.0.1:443"), (("::1", 443, 0, 0), "[::1]:443")]
)
def test_addresses_are_written_as_in_the_records(address: tuple[str, int], text: str) -> None:
    """An IPv6 address stands in brackets, so that its port can be told from it."""
    assert name(address) == text
