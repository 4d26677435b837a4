"""What the front process runs as a worker."""

import gc

import pytest

from vaultstorm_server.w3wp import start


def test_a_worker_looks_for_garbage_when_it_serves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It goes without while it is imported; what it says of wrong arguments is its exit status."""
    monkeypatch.setattr("sys.argv", ["start", "--channel"])
    try:
        assert start.main() == 2
        assert gc.isenabled()
    finally:
        gc.unfreeze()
    assert "started by the server only" in capsys.readouterr().err
