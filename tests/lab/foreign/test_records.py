"""A foreign server's own records, fetched when it has ended."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from vaultstorm.foreign import records
from vaultstorm.foreign.target import Target
from vaultstorm_wire import journal

LINE = '127.0.0.1 - - [22/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 3 "-" "x" "{}"\n'


def values(directory: Path) -> dict[str, str]:
    """Give what placeholders stand for."""
    return {"dir": str(directory), "journal": str(directory / "journal")}


def collect(
    target: Target, directory: Path, before: Mapping[Path, records.Mark] | None = None
) -> list[str]:
    """Collect into a run's journal directory."""
    (directory / "journal").mkdir(exist_ok=True)
    return records.collect(target, values(directory), before or {})


def executed(directory: Path) -> list[str | None]:
    """Give the ids in the one journal that was collected."""
    (path,) = (directory / "journal").iterdir()
    with path.open("rb") as lines:
        return [r.id for r in journal.read(lines) if isinstance(r, journal.Execution)]


def test_an_access_log_becomes_a_journal(tmp_path: Path) -> None:
    """Each line with its id is an execution."""
    (tmp_path / "access.log").write_text(LINE.format("a") + LINE.format("b"))
    assert collect(Target(access_log="{dir}/access.log"), tmp_path) == []
    assert (tmp_path / "journal/worker-log-access.ndjson").exists()
    assert executed(tmp_path) == ["a", "b"]


LOG = Target(access_log="{dir}/access.log")


def test_what_stood_in_a_log_before_is_of_another_run(tmp_path: Path) -> None:
    """The ids of a seed come again: a run before may have had the same."""
    log = tmp_path / "access.log"
    log.write_text(LINE.format("a") + LINE.format("a"))
    before = records.marks(LOG, values(tmp_path))
    with log.open("a") as file:
        file.write(LINE.format("a"))
    assert collect(LOG, tmp_path, before) == []
    assert executed(tmp_path) == ["a"]


def test_a_line_that_was_half_written_before_is_of_another_run(tmp_path: Path) -> None:
    """A server that writes in blocks cuts lines anywhere."""
    log = tmp_path / "access.log"
    log.write_text(LINE.format("a")[:-9])
    before = records.marks(LOG, values(tmp_path))
    log.write_text(LINE.format("a") + LINE.format("b"))
    assert collect(LOG, tmp_path, before) == []
    assert executed(tmp_path) == ["b"]


@pytest.mark.parametrize("how", ["renamed", "cut"])
def test_a_log_that_was_rotated_is_all_new(tmp_path: Path, how: str) -> None:
    """By its name, or in its place; so is one that was not there before."""
    log = tmp_path / "access.log"
    log.write_text(LINE.format("a") + LINE.format("b"))
    before = records.marks(LOG, values(tmp_path))
    if how == "renamed":
        log.rename(tmp_path / "access.log.1")
    log.write_text(LINE.format("c"))
    assert collect(LOG, tmp_path, before) == []
    assert executed(tmp_path) == ["c"]


def test_a_log_that_has_gone_is_said(tmp_path: Path) -> None:
    """It was there when the load began."""
    log = tmp_path / "access.log"
    log.write_text(LINE.format("a"))
    before = records.marks(LOG, values(tmp_path))
    log.unlink()
    (said,) = collect(LOG, tmp_path, before)
    assert said == f"cannot read the access log {log}: No such file or directory"


def test_what_stood_in_journals_before_is_of_another_run(tmp_path: Path) -> None:
    """A worker that runs on has one file for all runs; a new one has its own."""
    (tmp_path / "kept").mkdir()
    target = Target(journal=str(tmp_path / "kept"))
    assert records.marks(target, values(tmp_path)) == {}
    began = journal.encode(journal.Begun(time=1.0, id="a", worker=1)) + b"\n"
    old, new = tmp_path / "kept/worker-1.ndjson", tmp_path / "kept/worker-2.ndjson"
    old.write_bytes(began)
    before = records.marks(target, values(tmp_path))
    old.write_bytes(began * 3)
    new.write_bytes(began)
    assert collect(target, tmp_path, before) == []
    lengths = {path.name: path.read_bytes() for path in (tmp_path / "journal").iterdir()}
    assert lengths == {"worker-1.ndjson": began * 2, "worker-2.ndjson": began}


def test_an_access_log_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """It is not there, or in another format."""
    (said,) = collect(Target(access_log="{dir}/none.log"), tmp_path)
    assert said.startswith("cannot read the access log ")
    assert said.endswith("none.log: No such file or directory")
    (tmp_path / "access.log").write_text("what is this\n")
    (said,) = collect(Target(access_log="{dir}/access.log"), tmp_path)
    assert "what is this" in said


def test_journals_are_copied(tmp_path: Path) -> None:
    """Those of workers, and nothing else; a directory without any is said."""
    kept = tmp_path / "kept"
    assert "cannot be read: No such file" in collect(Target(journal=str(kept)), tmp_path)[0]
    kept.mkdir()
    assert collect(Target(journal=str(kept)), tmp_path) == [f"there is no journal in {kept}"]
    for name in ("worker-1.ndjson", "front-1.ndjson", "x"):
        (kept / name).write_text("{}\n")
    assert collect(Target(journal=str(kept)), tmp_path) == []
    assert [path.name for path in (tmp_path / "journal").iterdir()] == ["worker-1.ndjson"]


def test_nothing_named_is_nothing_fetched(tmp_path: Path) -> None:
    """The middleware has written where the run looks."""
    assert collect(Target(command=("x",)), tmp_path) == []
