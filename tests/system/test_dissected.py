"""A whole activation on the wire, as Wireshark reads it."""

import re
from pathlib import Path

from tests.support.command import vaultstorm
from tests.support.pcap import recorded
from tests.support.server import running_server
from tests.support.tshark import FAULTY, dissected, require_tshark
from vaultstorm_wire.journal import Attempt, read

ADDRESS = "127.91.0.1"


def test_an_activation_and_its_call_dissect_without_a_fault(tmp_path: Path) -> None:
    """Every PDU is known by its interface and method, and none is malformed, short or too long."""
    require_tshark()
    capture, journal = tmp_path / "activation.pcap", tmp_path / "client"
    with running_server(tmp_path / "server", f"--host={ADDRESS}") as server:
        assert server.rpc is not None
        with recorded(ADDRESS, capture):
            ended = vaultstorm(
                *("burst", server.rpc, "--clients=3", "--requests=2"), f"--journal={journal}"
            )
        assert ended.returncode == 0, ended.stderr
    ports = sorted({int(attempt.peer.rpartition(":")[2]) for attempt in _attempts(journal)})
    assert len(ports) == 2

    said = dissected(capture, ports, "dcerpc", "_ws.col.Info")
    kinds = {re.sub(r"[\s:,].*", "", line) for line in said}
    assert {"Bind", "Bind_ack", "RemoteCreateInstance", "Request", "Response"} <= kinds, said
    assert [line for line in said if line.startswith("Fault")] == []
    faulty = dissected(capture, ports, FAULTY, "_ws.col.Info")
    assert faulty == []


def _attempts(journal: Path) -> list[Attempt]:
    found = []
    for path in journal.glob("*.ndjson"):
        with path.open("rb") as lines:
            found += [record for record in read(lines) if isinstance(record, Attempt)]
    return found
