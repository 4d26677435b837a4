"""Gaps in the records, the result of the burst, and the end of the server."""

from pathlib import Path

import pytest

from tests.lab.reconcile.harness import FRONT, WORKER, Run, event, lost
from vaultstorm.events import WORKER_ENDS
from vaultstorm.reconcile import evidence, existing
from vaultstorm.reconcile.evidence import Life, Result
from vaultstorm_wire.errors import MachineError


def gaps(run: Run) -> list[str]:
    """Reconcile, and give the gaps as a reader sees them."""
    run.reconcile()
    return sorted(f"{kind}: {detail}" for kind, detail in run.rows("SELECT kind, detail FROM gap"))


def test_whole_records_have_no_gap(run: Run) -> None:
    """Every process left its journal, and the burst its result."""
    run.client()
    assert gaps(run) == []


def test_what_is_missing_is_said(run: Run) -> None:
    """Each with the process that it is about."""
    run.write("worker", WORKER, cut=b"{")
    run.write("front", FRONT, event("worker_started", worker=22), cut=b"{")
    run.write("client", 31, cut=b"{")
    assert gaps(run) == [
        "client_journal_cut_off: client-31.ndjson ends in the middle of a record",
        "front_journal_cut_off: front-11.ndjson ends in the middle of a record",
        "no_result: no burst.json",
        "worker_journal_cut_off: worker-21.ndjson ends in the middle of a record",
        "worker_journal_missing: worker 22 was started and left no journal",
    ]


@pytest.mark.parametrize("end", WORKER_ENDS)
@pytest.mark.parametrize("served, ended, missing", [(0, 1, 0), (1, 1, 1), (0, 0, 1), (1, 0, 1)])
def test_a_worker_that_ended_before_it_served_needs_no_journal(
    run: Run, end: str, served: int, ended: int, missing: int
) -> None:
    """It executed nothing; whether one that is not known to have ended did, nobody can say."""
    run.client()
    run.front(event("worker_started", 2.0, 22))
    run.front(*[event("worker_serving", 3.0, 22)] * served, *[event(end, 4.0, 22)] * ended)
    assert len(gaps(run)) == missing


def test_a_worker_that_was_given_a_request_needs_a_journal(run: Run) -> None:
    """Whatever is known of its life."""
    run.client()
    run.front(event("worker_started", 2.0, 22), event("worker_died", 4.0, 22), lost("N/A", "a", 22))
    assert gaps(run) == [
        "worker_journal_missing: worker 22 was started and left no journal",
    ]


def test_no_server_at_all_is_a_gap(run: Run) -> None:
    """Somebody else's server writes no journal."""
    for path in run.journals.iterdir():
        path.unlink()
    run.client()
    assert gaps(run) == ["no_server_journal: the front process left no journal"]


def test_a_result_is_read(tmp_path: Path) -> None:
    """Of all that burst.json says, the counts are taken; none is None."""
    path = tmp_path / "burst.json"
    assert evidence.read_result(path) is None
    path.write_text('{"schema":1,"attempts":2,"ok":1,"outcomes":{"ok":1,"tls.reset":1}}')
    assert evidence.read_result(path) == Result(2, {"ok": 1, "tls.reset": 1})


@pytest.mark.parametrize("text", ["", "{", "{}", '{"attempts":"two","outcomes":{}}'])
def test_what_is_no_result_is_said(tmp_path: Path, text: str) -> None:
    """With the file's name."""
    path = tmp_path / "burst.json"
    path.write_text(text)
    with pytest.raises(MachineError, match=f"{path} is not the result of a burst"):
        evidence.read_result(path)


def test_a_result_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """A directory in its place."""
    with pytest.raises(MachineError, match=f"cannot read {tmp_path}: Is a directory"):
        evidence.read_result(tmp_path)


@pytest.mark.parametrize(
    "stopping, detail, expected",
    [
        (False, None, Life(None, None)),
        (True, None, Life(None, 5.0)),
        (False, "signal 9", Life(7.0, None)),
        (True, "signal 9", Life(7.0, 5.0)),
        (True, "exit 0", Life(None, 5.0)),
        (False, "exit 4", Life(None, 7.0)),
    ],
)
def test_the_end_of_a_server(run: Run, stopping: bool, detail: str | None, expected: Life) -> None:
    """What it wrote last, what the runner saw, and whether it was asked to stop."""
    run.front(event("gate_open", 7.0))
    if stopping:
        run.front(event("stopping", 5.0))
    if detail is not None:
        run.exited(detail)
    run.reconcile()
    with existing(run.directory) as db:
        assert evidence.life(db, "v") == expected
