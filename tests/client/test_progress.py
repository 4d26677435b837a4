"""Progress on a terminal, and none elsewhere."""

import io
import os
import pty
import sys

import pytest

from vaultstorm_client.plan import Plan
from vaultstorm_client.progress import progress
from vaultstorm_client.tally import Counts


def test_none_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal there is nothing to call, and nothing is written."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    with progress(Plan()) as show:
        assert show is None
    assert out.getvalue() == ""


@pytest.mark.parametrize("requests", [1, None])
def test_on_a_terminal(monkeypatch: pytest.MonkeyPatch, requests: int | None) -> None:
    """On a terminal it shows what is ok and what is lost."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        with progress(Plan(clients=9, requests=requests)) as show:
            assert show is not None
            show(Counts(outcomes={"ok": 3, "wait.closed": 2}))
        terminal.flush()
        written = os.read(ours, 65536).decode()
    os.close(ours)
    assert "3 ok" in written
    assert "2 lost" in written
