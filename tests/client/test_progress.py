"""Progress on a terminal, and none elsewhere."""

import contextlib
import io
import os
import pty
import sys
from collections.abc import Iterator

import pytest

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
    written = b"".join(_rest(ours)).decode()
    os.close(ours)
    assert "3 ok" in written
    assert "2 lost" in written
