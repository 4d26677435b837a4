"""Journals shared with a second process: the same run.db, and the same errors."""

import os
import sys
from pathlib import Path

import pytest

from tests.lab.reconcile.harness import (
    WORKER,
    Run,
    attempt,
    event,
    execution,
    request,
)
from vaultstorm.reconcile import database, reconcile, share
from vaultstorm_wire.errors import MachineError

MIB = 1 << 20


def share_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the smallest run be worth a second process."""
    monkeypatch.setattr(share, "WORTH", 0)


@pytest.mark.parametrize(
    "sizes, here",
    [
        ([], 0),
        ([share.WORTH], 1),
        ([share.WORTH - 2, 1], 2),
        ([share.WORTH - 1, 1], 1),
        ([292 * MIB, 229 * MIB, 124 * MIB], 1),
        ([10 * MIB, 20 * MIB, 300 * MIB], 2),
        ([100 * MIB, 100 * MIB, 100 * MIB], 1),
        ([100 * MIB, 100 * MIB, 100 * MIB, 100 * MIB], 2),
    ],
)
def test_the_larger_share_is_as_small_as_it_can_be(sizes: list[int], here: int) -> None:
    """Files stay whole and in order; a small run stays with one process."""
    assert share.split(sizes) == here


def fill(run: Run) -> None:
    """Write what each of the two processes has something of."""
    run.client(attempt("ok", id="a"), attempt("wait.closed", id="b"))
    run.front(request("a"), event("ready"))
    run.worker(execution("a"))
    run.exited("exit 0")


def content(run: Run) -> dict[str, list[object]]:
    """Give all rows of all tables, each with its place."""
    tables = run.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {table: run.rows(f"SELECT rowid, * FROM {table}") for table in tables}


def test_the_same_run_db_comes_of_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row of every table, in the same order; of the second process' file nothing is left."""
    fill(run)
    other = Run(run.directory.parent / "other")
    fill(other)
    other.folder.rename(run.directory / "b")
    assert reconcile(run.directory, ["v", "b"]) == []
    alone = content(run)
    share_all(monkeypatch)
    assert reconcile(run.directory, ["v", "b"]) == []
    assert content(run) == alone
    assert sorted(os.listdir(run.directory)) == ["b", database.NAME, "v"]


@pytest.mark.parametrize("role, pid", [("client", 31), ("worker", WORKER)])
def test_a_broken_journal_is_named_whoever_reads_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, role: str, pid: int
) -> None:
    """By file and line; no database is left, and no process."""
    share_all(monkeypatch)
    fill(run)
    path = run.write(role, pid, cut=b"{}\n")
    lines = path.read_bytes().count(b"\n")
    with pytest.raises(MachineError, match=f"^{path}, line {lines}: not a journal record"):
        run.reconcile()
    assert os.listdir(run.directory) == ["v"]


@pytest.mark.parametrize(
    "command, error, message",
    [
        ("kill -9 $$", MachineError, "^a process that read journals was ended by signal 9$"),
        ("echo why >&2; exit 1", RuntimeError, "ended with 1: why$"),
    ],
)
def test_a_second_process_that_fails_is_not_passed_over(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: str,
    error: type[Exception],
    message: str,
) -> None:
    """The machine ended it, or it has a bug: without its share there is no run.db."""
    share_all(monkeypatch)
    fill(run)
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{command}\n")
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(error, match=message):
        run.reconcile()
    assert os.listdir(run.directory) == ["v"]
