"""The client of the containers, against a server beside it."""

import json
from pathlib import Path

import pytest

from containers import client
from tests.support.command import environment
from tests.support.server import running_server

CONTAINERS = Path(client.__file__).parent


def test_it_fires_joins_and_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken profile loses requests: exit 1, each loss explained, and a report that passes.

    One request each: what the accept queue turns away is certain, what a recycle loses is not.
    """
    profile = client.Profile("broken", ("causes.backlog_full == lost", "unexplained == 0"))
    settings = CONTAINERS / "settings" / "broken.toml"
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    monkeypatch.setitem(client.PROFILES, "broken", profile)
    monkeypatch.setattr(client, "REPORTS", tmp_path)
    monkeypatch.setattr(client, "LOAD", ("--clients=100", "--requests=1"))
    monkeypatch.setattr(client, "HEALTHCHECK", CONTAINERS / "healthcheck.py")
    with running_server(tmp_path / "broken" / "journal", f"--config={settings}") as server:
        monkeypatch.setattr(client, "SERVER", server.url)
        monkeypatch.setattr(client, "CA", server.ca)
        code = client.main("broken")

    result = json.loads((tmp_path / "run.json").read_text())
    assert code == 1
    assert result["passed"], result["variants"]["broken"]["expectations"]
    assert result["variants"]["broken"]["attempts"] == 100
    assert result["variants"]["broken"]["gaps"] == {}
    assert ">broken<" in (tmp_path / "report.html").read_text()


def test_a_profile_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Two profiles at once, or none, end with exit code 2 and the names there are."""
    assert [client.main("broken,fixed"), client.main()] == [2, 2]
    assert "write broken, workaround, fixed" in capsys.readouterr().err
