"""Reading facts out of /proc, whole, in part and absent."""

import socket
from pathlib import Path

import pytest

from vaultstorm import machine


def write(root: Path, **files: str) -> Path:
    """Lay out files below `root`; `__` in a name stands for a slash."""
    for name, text in files.items():
        path = root / "proc" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_this_machine() -> None:
    """On Linux, the reader sees what the kernel says, and who listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        facts = machine.read()
        assert facts.listening is not None
        assert listener.getsockname()[1] in facts.listening
    assert facts.soft_descriptors
    assert facts.cores
    assert facts.openssl


def test_system_without_proc(tmp_path: Path) -> None:
    """Where there is no /proc, facts are missing and nothing is raised."""
    facts = machine.read(tmp_path)
    assert facts.port_range is None
    assert facts.somaxconn is None
    assert facts.memory is None
    assert facts.listening is None
    assert facts.may_bind_low_ports in (True, False)


def test_files(tmp_path: Path) -> None:
    """Each fact comes from its file."""
    table = "  sl  local_address rem_address   st\n   0: 0100007F:01BB 00000000:0000 {} 0\n"
    facts = machine.read(
        write(
            tmp_path,
            sys__net__ipv4__ip_local_port_range="1024\t65535\n",
            sys__net__ipv4__tcp_tw_reuse="2\n",
            sys__net__core__somaxconn="128\n",
            sys__net__ipv4__ip_unprivileged_port_start="80\n",
            self__status="Name:\tpython\nCapEff:\t0000000000000400\n",
            meminfo="MemTotal: 9 kB\nMemAvailable:   2048 kB\n",
            net__tcp=table.format("01"),
            net__tcp6=table.format("0A"),
        )
    )
    assert facts.port_range == (1024, 65535)
    assert facts.tcp_tw_reuse == 2
    assert facts.somaxconn == 128
    assert facts.unprivileged_port_start == 80
    assert facts.may_bind_low_ports is True
    assert facts.memory == 2 << 20
    assert facts.listening == frozenset({443})


@pytest.mark.parametrize(
    "capabilities, may", [("0", False), ("400", True), ("3ff", False), ("800", False)]
)
def test_capability(tmp_path: Path, capabilities: str, may: bool) -> None:
    """CAP_NET_BIND_SERVICE is bit 10, none of its neighbours."""
    root = write(tmp_path, self__status=f"CapEff:\t{capabilities}\n")
    assert machine.read(root).may_bind_low_ports is may


@pytest.mark.parametrize("garbage", ["", "\n", "x", "1 x", "\x00"])
def test_garbage(tmp_path: Path, garbage: str) -> None:
    """A file that says something else is as good as none."""
    facts = machine.read(
        write(
            tmp_path,
            sys__net__ipv4__ip_local_port_range=garbage,
            sys__net__core__somaxconn=garbage,
            self__status=garbage,
            meminfo=f"MemAvailable: {garbage}",
            net__tcp=garbage,
        )
    )
    assert facts.port_range is None
    assert facts.somaxconn is None
    assert facts.memory is None
    assert not facts.listening
