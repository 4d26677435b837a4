"""run.db as a file: there when it is whole, and as it was when that fails."""

import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.reconcile.harness import Run, attempt
from vaultstorm.reconcile import database
from vaultstorm_wire.errors import MachineError


@pytest.fixture
def done(run: Run) -> Run:
    """Give a run that was reconciled before, and has grown since."""
    run.reconcile()
    run.client(*[attempt("connect.local", id=str(number)) for number in range(3000)])
    return run


@contextmanager
def small_files() -> Iterator[None]:
    """Let the kernel refuse this process files over 256 KiB, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def stands(run: Run) -> bool:
    """Tell whether the run.db of before is there, and nothing else of its kind."""
    assert run.rows("SELECT COUNT(*) FROM attempt") == [0]
    return sorted(os.listdir(run.directory)) == [database.NAME, "v"]


def test_a_new_database_takes_the_place_of_the_old(done: Run) -> None:
    """Reconciling again is making it new, also after a crash that left a part behind."""
    (done.directory / "run.db.part").write_bytes(b"left by a crash")
    done.reconcile()
    assert done.rows("SELECT COUNT(*) FROM attempt") == [3000]
    assert sorted(os.listdir(done.directory)) == [database.NAME, "v"]


def test_a_disk_that_takes_no_more_is_said(done: Run) -> None:
    """A write that the kernel refuses ends with a sentence, and the old run.db stands."""
    message = r"cannot write .*run.db: disk I/O error; free some"
    with small_files(), pytest.raises(MachineError, match=message):
        done.reconcile()
    assert stands(done)


def test_a_full_disk_is_said(done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's own word for it, from a database that may not grow."""
    pragmas = (*database.PRAGMAS, "PRAGMA max_page_count = 40")
    monkeypatch.setattr(database, "PRAGMAS", pragmas)
    with pytest.raises(MachineError, match=r"cannot write .*: database or disk is full; free"):
        done.reconcile()
    assert stands(done)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written_is_said(done: Run) -> None:
    """Permission is asked of the directory, since a new file is made."""
    done.directory.chmod(0o500)
    try:
        with pytest.raises(MachineError, match=r"cannot write .*run\.db"):
            done.reconcile()
    finally:
        done.directory.chmod(0o700)
    assert stands(done)


@pytest.mark.parametrize("name", ["run.db", "run.db.part"])
def test_a_name_that_is_taken_by_a_directory_is_said(run: Run, name: str) -> None:
    """The file cannot be made, whoever asks."""
    (run.directory / name).mkdir()
    with pytest.raises(MachineError, match=r"cannot write .*run.db: Is a directory"):
        run.reconcile()


def test_a_run_that_is_not_there_is_said(tmp_path: Path) -> None:
    """A directory that does not exist has no run.db and gets none."""
    with (
        pytest.raises(MachineError, match="unable to open database file"),
        database.fresh(tmp_path / "none"),
    ):
        pass


def test_a_mistake_of_ours_is_not_blamed_on_the_machine(run: Run) -> None:
    """Wrong SQL stays what it is."""
    with pytest.raises(sqlite3.OperationalError), database.fresh(run.directory) as db:
        db.execute("SELECT nothing FROM nowhere")
    assert os.listdir(run.directory) == ["v"]


@pytest.mark.parametrize("content", [None, b"", b"no database at all, but long enough" * 10])
def test_what_is_no_run_db_is_not_read(tmp_path: Path, content: bytes | None) -> None:
    """Missing, empty, or something else: said with the way to make one."""
    if content is not None:
        (tmp_path / database.NAME).write_bytes(content)
    with (
        pytest.raises(MachineError, match=r"cannot read .*run.db: .*`vaultstorm run` makes one"),
        database.existing(tmp_path),
    ):
        pass


def test_a_reader_cannot_write(run: Run) -> None:
    """A report changes nothing."""
    run.reconcile()
    with (
        database.existing(run.directory) as db,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        db.execute("DELETE FROM attempt")
