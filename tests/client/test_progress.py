"""Progress on a terminal, and none elsewhere."""

import contextlib
import io
import os
import pty
import sys
from collections.abc import Iterator

import pytest

from vaultstorm_client.agent.ledger import VaultCounts
from vaultstorm_client.plan import Plan
from vaultstorm_client.progress import progress
from vaultstorm_client.tally import Counts


def _rest(terminal: int) -> Iterator[bytes]:
    """Read what was written to a terminal that is closed: a read gives no more than a piece."""
    with contextlib.suppress(OSError):  # EIO is its end
        while data := os.read(terminal, 65536):
            yield data


def test_none_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal there is nothing to call, and nothing is written."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    with progress(Plan()) as show:
        assert show is None
    assert out.getvalue() == ""


@pytest.mark.parametrize(
    "plan, done",
    [
        (Plan(clients=9), "5/9"),
        (Plan(clients=9, requests=None), "5/?"),
        (Plan(clients=9, workload="agent"), "7/9"),
    ],
    ids=["requests", "no-end", "snapshots"],
)
def test_on_a_terminal(monkeypatch: pytest.MonkeyPatch, plan: Plan, done: str) -> None:
    """On a terminal it shows what is ok and what is lost, and how far the burst has come."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        with progress(plan) as show:
            assert show is not None
            vault = VaultCounts(begun=9, committed=4, failed=2, cut=1)
            show(Counts(outcomes={"ok": 3, "wait.closed": 2}, vault=vault))
    written = b"".join(_rest(ours)).decode()
    os.close(ours)
    assert "3 ok" in written
    assert "2 lost" in written
    assert done in written


def test_rounds_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """At an rpc:// target it shows how many activations have ended, of all rounds."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        with progress(Plan(clients=3, requests=2)) as show:
            assert show is not None
            counts = Counts(outcomes={"ok": 9})
            counts.operation("activation").outcomes["ok"] = 5
            counts.operation("call").outcomes["ok"] = 4
            show(counts)
    written = b"".join(_rest(ours)).decode()
    os.close(ours)
    assert "5/6" in written
