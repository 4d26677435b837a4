"""Scenarios that are run for a measurement."""

from pathlib import Path

import pytest

from bench.children import BenchError
from bench.lab import Played, note, play
from bench.result import Measurement
from tests.lab import tiny


def test_a_finding_is_played_as_well(tmp_path: Path) -> None:
    """What a variant lost can be counted in its records, whatever was expected of it."""
    path = tiny.write(tmp_path, tiny.TINY.replace("ok == 2", "ok == 3"))
    played = play(tmp_path / "out", str(path), "--variant=broken")
    assert isinstance(played, Played)
    assert played.variants["broken"]["lost"] == 3
    assert played.violations == 0
    lost = "SELECT COUNT(*) FROM attempt WHERE variant = :variant AND outcome <> 'ok'"
    assert played.tally(lost, "broken") == 3


MISSING = """\
schema = 1
title = "Missing"
article = "none"
breaks = "It breaks."
why = "It is not here."
fixes = "Install it."
time_limit = "20s"

[target]
command = ["no-such-server", "{address}"]
install = "apt-get install no-such-server"

[load]
scheme = "http"
clients = 1

[variants.only]
title = "only"
why = "One is enough."
expect = ["lost == 0"]
"""


def test_a_server_that_is_not_installed_is_noted(tmp_path: Path) -> None:
    """The measurement goes on, and says what would have to be installed."""
    result = Measurement("name", "title", [])
    path = tiny.write(tmp_path, MISSING)
    assert note(result, "it", tmp_path / "out", str(path)) is None
    (said,) = result.notes
    assert said.startswith("it: no-such-server is not installed")
    assert "apt-get install no-such-server" in said
    assert result.checks == []


def test_a_run_that_fails_is_a_target_missed(tmp_path: Path) -> None:
    """A scenario that cannot be read ends no measurement, and is not forgotten."""
    with pytest.raises(BenchError, match="ended with 2"):
        play(tmp_path / "out", str(tmp_path / "none.toml"))
    result = Measurement("name", "title", [])
    assert note(result, "it", tmp_path / "out", str(tmp_path / "none.toml")) is None
    (check,) = result.checks
    assert not check.passed
    assert check.claim == "it came to its end"
