"""``python -m bench``: what it prints, writes and returns."""

import json
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench.children import BenchError
from bench.result import Column, Measurement
from bench.setup import Setup


def slow(setup: Setup) -> Measurement:
    """Make a measurement that misses one target and reaches another."""
    made = Measurement("slow", "a title", [Column("ms", "ms")], reference="bare")
    made.row("bare").add(ms=float(setup.size(10, 1)))
    made.row("ours").add(ms=30.0)
    made.hold("x bare", made.ratio("ours"), 1.5)
    made.hold("ms", 30.0, 40.0)
    return made


def broken(setup: Setup) -> Measurement:
    """Fail as a measurement does whose server did not start."""
    raise BenchError(f"no server with {setup.certificate.chain.name}")


@pytest.fixture(autouse=True)
def measurements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put two measurements of no duration in the place of the real ones."""
    monkeypatch.setattr(bench, "MEASUREMENTS", {"slow": slow, "broken": broken})


def run(tmp_path: Path, *arguments: str) -> int:
    """Run the bench, its results in a folder of the test."""
    return bench.main([*arguments, "--no-install", "--out", str(tmp_path / "results")])


def written(tmp_path: Path) -> list[dict[str, object]]:
    """Read the results."""
    return [json.loads(path.read_bytes()) for path in (tmp_path / "results").iterdir()]


def test_a_missed_target_is_a_failure_where_it_is_asked_for(tmp_path: Path) -> None:
    """So it is in `make soak`, whose targets are promises."""
    assert run(tmp_path, "slow", "--strict") == 1


def test_a_missed_promise_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Acknowledged data that is lost ends `python -m bench kills` with 1."""
    assert "kills" in bench.PROMISED
    monkeypatch.setattr(bench, "PROMISED", ("slow",))
    assert run(tmp_path, "slow") == 1


def test_what_takes_long_is_made_only_where_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without names, everything else is measured."""
    monkeypatch.setattr(bench, "MEASUREMENTS", {"slow": slow, "soak": broken})
    assert run(tmp_path) == 0


def test_a_missed_target_is_said_and_is_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Return 0, print MISS, and write the medians and verdicts."""
    assert run(tmp_path, "slow") == 0

    printed = capsys.readouterr().out
    assert "  MISS  x bare: 3.00 <= 1.5\n  PASS  ms: 30.00 <= 40\n" in printed
    assert printed.endswith("1 of 2 targets reached\n")
    (result,) = written(tmp_path)
    assert result["medians"] == {"bare": {"ms": 10.0}, "ours": {"ms": 30.0}}
    assert result["verdicts"] == [
        {"claim": "x bare", "actual": 3.0, "limit": 1.5, "passed": False},
        {"claim": "ms", "actual": 30.0, "limit": 40.0, "passed": True},
    ]
    assert {"cores", "kernel", "python", "processor", "missing"} <= set(result["machine"])  # type: ignore[call-overload]


def test_a_broken_measurement_fails_and_stops_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Return 1, with the reason in the table and in the file, after all have been made."""
    assert run(tmp_path, "broken", "slow") == 1

    printed = capsys.readouterr().out
    assert "  BROKEN  no server with chain.pem\n" in printed
    assert printed.endswith("1 of 2 targets reached; broken: broken\n")
    assert len(written(tmp_path)) == 2


def test_a_quick_run_is_smaller_and_says_so(tmp_path: Path) -> None:
    """Hand the smaller sizes to the measurements, and mark the result."""
    assert run(tmp_path, "slow", "--quick") == 0

    (result,) = written(tmp_path)
    assert result["quick"] is True
    assert result["medians"] == {"bare": {"ms": 1.0}, "ours": {"ms": 30.0}}


def test_an_unknown_name_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Name the measurements there are."""
    with pytest.raises(SystemExit) as ended:
        run(tmp_path, "speed")

    assert ended.value.code == 2
    assert "'speed' is none of slow, broken" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()
