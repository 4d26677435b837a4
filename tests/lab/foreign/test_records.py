"""A foreign server's own records, fetched when it has ended."""

from pathlib import Path

from vaultstorm.foreign import records
from vaultstorm.foreign.target import Target
from vaultstorm_wire import journal

LINE = '127.0.0.1 - - [22/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 3 "-" "x" "{}"\n'


def collect(target: Target, directory: Path) -> list[str]:
    """Collect into a run's journal directory."""
    (directory / "journal").mkdir(exist_ok=True)
    values = {"dir": str(directory), "journal": str(directory / "journal")}
    return records.collect(target, values)


def test_an_access_log_becomes_a_journal(tmp_path: Path) -> None:
    """Each line with its id is an execution."""
    (tmp_path / "access.log").write_text(LINE.format("a") + LINE.format("b"))
    assert collect(Target(access_log="{dir}/access.log"), tmp_path) == []
    (path,) = (tmp_path / "journal").iterdir()
    assert path.name == "worker-log-access.ndjson"
    with path.open("rb") as lines:
        read = list(journal.read(lines))
    assert [r.id for r in read if isinstance(r, journal.Execution)] == ["a", "b"]


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
