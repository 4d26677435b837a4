"""The shipped scenarios of other people's servers, as far as they are exact."""

from pathlib import Path

import pytest

from vaultstorm import runner
from vaultstorm.foreign import programs
from vaultstorm.scenario import load
from vaultstorm_wire.errors import MachineError

NGINX = programs.is_installed("nginx")


@pytest.mark.skipif(not NGINX, reason="nginx is not installed: apt-get install nginx")
def test_a_backlog_of_ten_takes_eleven(tmp_path: Path) -> None:
    """To the connection: it is the queue that decides, and the kernel's view that explains."""
    chosen = runner.Options(["backlog-10"], tmp_path / "out")
    outcome = runner.run(load("backlog-nginx"), chosen)
    result = outcome.result["variants"]["backlog-10"]
    assert outcome.status == 0, result["expectations"]
    assert result["causes"] == {"backlog_full": 89}
    assert "nginx" in result["version"]
    assert result["gaps"] == {}


@pytest.mark.parametrize("name", ["reload-gunicorn", "reload-uvicorn", "reload-hypercorn"])
def test_a_server_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """With what installs it; nothing is run."""
    monkeypatch.setattr(programs, "environment", lambda more: {"PATH": str(tmp_path), **more})
    with pytest.raises(MachineError, match="is not installed; install it with: pip install"):
        runner.run(load(name), runner.Options(out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()
