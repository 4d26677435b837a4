"""The run directory: never overwritten, always writable or an error."""

import tomllib
from pathlib import Path

import pytest

from vaultstorm.run_directory import RunDirectory, RunnerJournal, has_content, toml
from vaultstorm_wire import journal
from vaultstorm_wire.errors import MachineError, UsageError

NOON = 1_795_262_400.0


def test_a_new_one_is_named_by_scenario_and_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is taken gets a number, and so does the next."""
    monkeypatch.chdir(tmp_path)
    made = [RunDirectory.create(None, "storm", NOON).path for _ in range(3)]
    first = made[0]
    assert first.parent == Path("vaultstorm-runs")
    assert first.name.startswith("storm-2026")
    assert [path.name for path in made] == [first.name, f"{first.name}-2", f"{first.name}-3"]


def test_a_given_one_may_be_new_or_empty(tmp_path: Path) -> None:
    """Its parents are made as well."""
    assert RunDirectory.create(tmp_path, "storm", NOON).path == tmp_path
    assert RunDirectory.create(tmp_path / "a" / "b", "storm", NOON).path.is_dir()


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    """A directory with anything in it, or a file, is refused."""
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        RunDirectory.create(tmp_path, "storm", NOON)
    with pytest.raises(UsageError, match="that is a file"):
        RunDirectory.create(file, "storm", NOON)
    assert file.read_text() == "mine"


def test_what_cannot_be_written_is_the_machines_doing(tmp_path: Path) -> None:
    """Also where the obstacle is on the way."""
    (tmp_path / "file").touch()
    with pytest.raises(MachineError, match="cannot write"):
        RunDirectory.create(tmp_path / "file" / "in it", "storm", NOON)
    directory = RunDirectory.create(tmp_path / "run", "storm", NOON)
    with pytest.raises(MachineError, match="another directory with --out"):
        directory.write("no/such/file", b"")
    with pytest.raises(MachineError, match="cannot write"):
        RunnerJournal(tmp_path / "file")


def test_the_runners_journal(tmp_path: Path) -> None:
    """Each event is on disk when `event` returns."""
    written = RunnerJournal(tmp_path)
    written.event("action", "kill")
    (path,) = tmp_path.glob("runner-*.ndjson")
    with path.open("rb") as lines:
        head, event = journal.read(lines)
    written.close()
    assert isinstance(head, journal.Journal)
    assert head.role == "runner"
    assert isinstance(event, journal.Event)
    assert (event.name, event.detail) == ("action", "kill")


def test_settings_come_back_from_their_toml() -> None:
    """Numbers, texts with quotes in them, lists, and the table of an AppID."""
    settings: dict[str, dict[str, object]] = {
        "AppID": {"{8e5f1c6a-0000}": {"RpcProtSeqMaxCalls": 100}, 'q"': {}},
        "afd": {"Backlog": 10, "AcceptInterval": "2ms", "x": 0.5},
        "apppool": {"N": '"\\'},
    }
    assert tomllib.loads(toml(settings).decode()) == settings


def test_a_result_counts_once_something_is_in_it(tmp_path: Path) -> None:
    """A file that is not there, one that was only opened, and one with a byte."""
    path = tmp_path / "burst.json"
    assert not has_content(path)
    path.touch()
    assert not has_content(path)
    path.write_bytes(b"{")
    assert has_content(path)
