"""How refused SYNs are found among the counters of the kernel."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vaultstorm_server.afd.refusals import NETSTAT, SNMP, Refusals, counters

ALONE = ["unshare", "--net", "--map-root-user"]
"""Nobody else is in a network namespace of its own."""


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A directory for the two files."""
    write(tmp_path, rsts=100, data=7, close=20)
    return tmp_path


def write(proc: Path, *, rsts: int, data: int = 0, close: int = 0) -> None:
    """Write what the kernel would."""
    (proc / "snmp").write_text(
        "Ip: Forwarding DefaultTTL\nIp: 1 64\n"
        "Tcp: RtoAlgorithm MaxConn InErrs OutRsts InCsumErrors\n"
        f"Tcp: 1 -1 9 {rsts} 8\nUdp: InDatagrams\nUdp: 3\n"
    )
    (proc / "netstat").write_text(
        "TcpExt: SyncookiesSent TCPAbortOnData TCPAbortOnClose TCPAbortOnTimeout\n"
        f"TcpExt: 5 {data} {close} 6\nIpExt: InNoRoutes\nIpExt: 4\n"
    )


def refusals(proc: Path) -> Refusals:
    """Give the count that these files make."""
    return Refusals(proc / "snmp", proc / "netstat")


def test_aborts_are_taken_off(proc: Path) -> None:
    """Only the RSTs that no program asked for are left."""
    count = refusals(proc)
    assert count() == 73
    write(proc, rsts=105, data=8, close=22)
    assert count() == 75


def test_without_a_new_rst_nothing_has_changed(proc: Path) -> None:
    """The second file is not even read then."""
    count = refusals(proc)
    assert count() == 73
    (proc / "netstat").unlink()
    assert count() == 73
    write(proc, rsts=101)
    assert count() == 101


@pytest.mark.parametrize("missing", ["snmp", "netstat"])
def test_a_file_that_is_missing_is_no_count(proc: Path, missing: str) -> None:
    """None, and no exception."""
    (proc / missing).unlink()
    assert refusals(proc)() is None


@pytest.mark.parametrize(
    "text",
    ["", "Tcp:\n", "Tcp: OutRsts\n", "Tcp: OutRsts\nTcp: x\n", "Tcp: InErrs\nTcp: 1\n"],
    ids=["empty", "bare", "names only", "no number", "another"],
)
def test_a_file_of_another_form_is_no_count(proc: Path, text: str) -> None:
    """None, and no exception."""
    (proc / "snmp").write_text(text)
    assert refusals(proc)() is None


def test_counters_are_pairs_of_names_and_values(proc: Path) -> None:
    """Of the group that is asked for; a value below 0 is one, too."""
    assert counters(proc / "snmp", "Tcp:") == {
        "RtoAlgorithm": 1,
        "MaxConn": -1,
        "InErrs": 9,
        "OutRsts": 100,
        "InCsumErrors": 8,
    }
    assert counters(proc / "snmp", "Tc:") == {}


def test_this_kernel_has_the_counters() -> None:
    """Under the names that are looked for."""
    assert "OutRsts" in counters(SNMP, "Tcp:")
    names = counters(NETSTAT, "TcpExt:")
    assert {"TCPAbortOnData", "TCPAbortOnClose", "TCPAbortOnLinger", "TCPAbortOnMemory"} <= set(
        names
    )
    assert Refusals()() is not None


@pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run([*ALONE, "true"], check=False, capture_output=True).returncode != 0,
    reason="unshare may not make a network namespace here",
)
def test_each_refused_syn_counts_once_and_nothing_else_does() -> None:
    """Where nobody else is: 0, 1 and 7 refused, resets of three kinds, and 4 lost by shutdown."""
    done = subprocess.run(
        [*ALONE, sys.executable, "-m", "tests.server.afd.alone_count"],
        cwd=Path(__file__).parents[3],
        env={"PYTHONPATH": "server:.", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "nothing": 0,
        "one refused": 1,
        "seven refused": 7,
        "three reset by SO_LINGER": 0,
        "three closed with unread data": 0,
        "four in the queue at shutdown": 4,
        "three closed in good order": 0,
    }
