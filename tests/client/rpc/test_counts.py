"""What is counted by operation."""

from vaultstorm_client.attempt import Attempt
from vaultstorm_client.rpc.counts import PEERS_MAX, OperationCounts


def an_attempt(peer: str = "127.0.0.1:135", win32: int | None = None) -> Attempt:
    """Make an attempt at an address."""
    attempt = Attempt("a", 0.0, 0.0)
    attempt.operation, attempt.peer, attempt.win32 = "call", peer, win32
    return attempt


def test_counting() -> None:
    """Outcomes are counted, and of failures the HRESULT; an attempt's own code is the stronger."""
    counts = OperationCounts()
    for outcome, win32 in [
        ("ok", None),
        ("connect.refused", None),
        ("bind.rejected", 1717),
        ("bind.rejected", None),
        ("rpc.0x1c010014", None),
        ("rpc.0x80040154", None),
    ]:
        counts.count(an_attempt(win32=win32), outcome)
    assert (counts.attempts, counts.ok, counts.lost) == (6, 1, 3)
    assert counts.errors == {
        "0x800706BA": 1,
        "0x800706B5": 1,
        "0x800706BB": 2,
        "0x80040154": 1,
    }
    assert counts.peers == {"127.0.0.1:135": 6}


def test_adding() -> None:
    """What two processes counted is added up."""
    one, other = OperationCounts(), OperationCounts()
    one.count(an_attempt(), "ok")
    other.count(an_attempt(), "ok")
    other.count(an_attempt("127.0.0.1:5000"), "wait.reset")
    one.add(other)
    assert one.outcomes == {"ok": 2, "wait.reset": 1}
    assert one.errors == {"0x800706BE": 1}
    assert one.peers == {"127.0.0.1:135": 2, "127.0.0.1:5000": 1}


def test_the_first_addresses_are_remembered() -> None:
    """An endless row of exporters takes no memory; the others still count."""
    counts = OperationCounts()
    for port in [*range(PEERS_MAX + 5), 0]:
        counts.count(an_attempt(f"127.0.0.1:{port}"), "ok")
    assert list(counts.peers) == [f"127.0.0.1:{port}" for port in range(PEERS_MAX)]
    assert counts.peers["127.0.0.1:0"] == 2
    assert counts.attempts == PEERS_MAX + 6
