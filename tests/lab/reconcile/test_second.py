"""The second process of a large run."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.lab.reconcile.harness import FRONT, Run, event, request
from vaultstorm.reconcile import second
from vaultstorm_wire.errors import MachineError


def test_it_reads_journals_into_a_database_of_its_own(run: Run, tmp_path: Path) -> None:
    """Every row has its variant, and an event who wrote it."""
    run.front(request("a"))
    files = sorted(run.journals.iterdir())
    second.main("v", tmp_path / "part", files)
    with closing(sqlite3.connect(tmp_path / "part")) as db:
        assert db.execute("SELECT variant, id FROM request").fetchall() == [("v", "a")]
        assert db.execute("SELECT role FROM event").fetchall() == [("front",)]
        assert db.execute("SELECT file FROM journal ORDER BY rowid").fetchall() == [
            (file.name,) for file in files
        ]


def test_a_broken_journal_ends_it(run: Run, tmp_path: Path) -> None:
    """With the file, the line, and why."""
    path = run.write("front", FRONT, event("ready"), cut=b"{\n")
    with pytest.raises(MachineError, match=f"{path}, line 4: not a journal record"):
        second.main("v", tmp_path / "part", [path])


def test_a_database_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """It is named as the run.db that it was to become part of."""
    with pytest.raises(MachineError, match=r"cannot write .*run\.db: unable to open"):
        second.main("v", tmp_path / "none" / "part", [])
