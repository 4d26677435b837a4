"""The part of the summary that is about ports and Windows' messages."""

from typing import Any

from vaultstorm_client.rpc.exporters import NOWHERE
from vaultstorm_client.rpc.summary import WIDTH, rpc_lines
from vaultstorm_client.summary import WIDTH as OF_ALL

OF_CALLS: dict[str, Any] = {
    "attempts": 100,
    "ok": 10,
    "lost": 90,
    "outcomes": {},
    "errors": {"0x800706BA": 80, "0x800706BF": 9, "0xC0000005": 1},
    "peers": ["127.0.0.1:5001"],
}
OF_ACTIVATIONS: dict[str, Any] = {
    "attempts": 100, "ok": 100, "lost": 0, "outcomes": {}, "errors": {}, "peers": ["127.0.0.1:135"]
}  # fmt: skip


def test_each_hresult_has_its_message_and_its_port() -> None:
    """What failed, how often, at which of the two ports, in Windows' words."""
    lines = rpc_lines({"activation": OF_ACTIVATIONS, "call": OF_CALLS})
    said = " ".join(" ".join(lines).split())
    assert "activation 100 100 0 127.0.0.1:135 call 100 10 90 127.0.0.1:5001" in said
    where = "x at the call (127.0.0.1:5001):"
    assert f"0x800706BA 80 {where} The RPC server is unavailable." in said
    assert f"0x800706BF 9 {where} The remote procedure call failed and did not execute." in said
    assert f"0xC0000005 1 {where} (no message of Windows is known here for it)" in said
    assert max(map(len, lines)) <= WIDTH == OF_ALL


def test_an_exporter_that_may_not_be_gone_to() -> None:
    """The address that stands for none is not shown as if it were one."""
    lines = rpc_lines({"activation": OF_ACTIVATIONS, "call": {**OF_CALLS, "peers": [NOWHERE]}})
    assert lines[2].endswith("   no address it may go to")
    assert "at the call (no address it may go to): " in lines[3]
    assert max(map(len, lines)) <= WIDTH


def test_many_ports_and_none() -> None:
    """Of many addresses the first are named; of none, none."""
    many = {**OF_CALLS, "peers": [f"127.0.0.1:{port}" for port in range(9)]}
    none = {**OF_ACTIVATIONS, "attempts": 0, "ok": 0, "peers": []}
    lines = rpc_lines({"activation": none, "call": many})
    assert lines[1].split() == ["activation", "0", "0", "0", "-"]
    assert lines[2].endswith("127.0.0.1:0, 127.0.0.1:1, 127.0.0.1:2, ...")
    assert lines[3] == "  0x800706BA 80 x at the call: The RPC server is unavailable."
    assert max(map(len, lines)) <= WIDTH
