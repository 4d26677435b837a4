"""What placeholders stand for."""

import socket
from pathlib import Path

import pytest

from vaultstorm.foreign import values
from vaultstorm.foreign.target import Target
from vaultstorm_wire.errors import MachineError


def test_a_port_is_free_and_none_that_the_kernel_gives_away() -> None:
    """Somebody can listen on it."""
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(20):
        port = values.free_port()
        assert port < low or low <= 10_000
        socket.create_server(("127.0.0.1", port)).close()


def test_a_server_that_is_started(tmp_path: Path) -> None:
    """A certificate is made only where one is asked for."""
    port = values.free_port()
    given = values.started(Target(command=("x",)), tmp_path, tmp_path / "tls", port, "http")
    assert given["address"] == f"127.0.0.1:{port}"
    assert given["dir"] == str(tmp_path / "target")
    assert given["journal"] == str(tmp_path / "journal")
    assert "cert" not in given
    assert not (tmp_path / "tls").exists()
    for target, scheme, more in (
        (Target(command=("x",)), "https", ()),
        (Target(command=("x", "{cert}")), "http", ()),
        (Target(command=("x",), files={"a": "{key}"}), "http", ()),
        (Target(command=("x",)), "tcp", ("{ca}",)),
    ):
        given = values.started(target, tmp_path, tmp_path / "tls", 0, scheme, more)
        assert Path(given["cert"]).is_file()


def test_a_port_that_somebody_has_is_not_fired_at(tmp_path: Path) -> None:
    """What is ready there would be another server than the one that is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MachineError, match=f"^port {port} is in use"):
            values.started(Target(command=("x",)), tmp_path, tmp_path, port, "http")


@pytest.mark.parametrize(
    "url, host, port, address",
    [
        ("http://10.0.0.5", "10.0.0.5", "80", "10.0.0.5:80"),
        ("https://web:8443", "web", "8443", "web:8443"),
        ("tcp://[::1]:9", "::1", "9", "[::1]:9"),
    ],
    ids=range(3),
)
def test_a_server_elsewhere(tmp_path: Path, url: str, host: str, port: str, address: str) -> None:
    """Its address is its URL's."""
    given = values.elsewhere(Target(url=url), tmp_path)
    assert (given["host"], given["port"], given["address"]) == (host, port, address)


def test_files_are_written_with_what_placeholders_stand_for(tmp_path: Path) -> None:
    """Braces that are not ours stay; a folder is made where a name has one."""
    target = Target(command=("x",), files={"a": "{ {dir} } {{x}}", "b/c": "$host {unknown}"})
    values.write_files(target, {"dir": str(tmp_path / "d")})
    assert (tmp_path / "d/a").read_text() == f"{{ {tmp_path / 'd'} }} {{{{x}}}}"
    assert (tmp_path / "d/b/c").read_text() == "$host {unknown}"
    (tmp_path / "file").touch()
    with pytest.raises(MachineError, match=r"^cannot write "):
        values.write_files(target, {"dir": str(tmp_path / "file")})
