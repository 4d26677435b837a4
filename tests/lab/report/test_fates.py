"""What became of the worker that a request was lost with."""

from pathlib import Path

import pytest

from tests.lab.report import making
from vaultstorm.events import WORKER_ENDS
from vaultstorm.report import data, fates, stories
from vaultstorm.report.fates import Fate

ABANDONED = fates.ABANDONED


def tell(directory: Path, *events: tuple[str, making.Row], worker: int | None = 7) -> stories.Story:
    """Tell a request that came at 0.010 and was lost, with these events around it."""
    phases = {"send": 0.001, "wait": 0.02}
    name, row = making.attempt(
        1, 0.009, "wait.closed", **phases, end=0.03, nth=41, sent=120, cause=ABANDONED
    )
    request = {"id": row["id"], "connection": 1, "peer": row["local"], "method": "GET"}
    request |= {"target": "/x", "worker": worker, "time": 0.01, "cause": ABANDONED}
    rows = [(name, row), ("request", request), *events]
    made = making.Made("one", "One", lambda _, __: iter(rows))
    with data.opened(making.make(directory, [made])) as source:
        (story,) = stories.tell(source.db)
    return story


def event(time: float, name: str, worker: int, **more: object) -> tuple[str, making.Row]:
    """Make an event of a worker."""
    return making.event(time, "front", name, worker=worker, **more)


def test_the_request_that_http_sys_loses(tmp_path: Path) -> None:
    """Which worker, told to end when, who else was there, when it ended, and that it never ran."""
    story = tell(
        tmp_path,
        event(-9.0, "worker_started", 7),
        event(-8.0, "worker_serving", 7),
        event(-0.9, "recycle", 7, detail="requests"),
        event(-0.8, "worker_started", 8),
        event(-0.1, "worker_serving", 8),
        event(-0.09, "worker_stopping", 7),
        event(0.028, "worker_stopped", 7, detail="exit status 0"),
    )
    assert story.heading == (
        "Attempt …-1-0 was closed by the server with the whole request sent and not one byte of "
        "the answer back, 21.0 ms after request 42 on its connection began: the pool gave it up, "
        "as the worker process that had it, or that it waited for, ended, was let go of, or had "
        "been told to end and took nothing more (Connection_Abandoned_By_AppPool). Its connection "
        "was bound to worker 7, which had been told to shut down 100 ms before http.sys sent it "
        "there, although worker 8 took requests, and which ended 18.0 ms after (exit status 0). "
        "It was never executed."
    )
    server = [(round(s.time, 3), s.text) for s in story.steps if s.side == "server"]
    assert server == [
        (-0.909, "recycle 7 (requests)"),
        (-0.099, "worker 7 is told to shut down"),
        (0.001, "request received: GET /x; HTTPERR logs Connection_Abandoned_By_AppPool"),
        (0.019, "worker 7 has ended (exit status 0)"),
    ]


def test_a_crash(tmp_path: Path) -> None:
    """Nobody told it to end; the event log says what happened."""
    story = tell(
        tmp_path,
        event(-8.0, "worker_serving", 7),
        event(0.02, "worker_died", 7, detail="signal 9"),
        event(0.02, "event_log", 7, event_id=1009, detail="terminated unexpectedly"),
    )
    assert (
        "Worker 7 had been given it and died 10.0 ms after (signal 9); the event log has 1009."
    ) in story.heading
    assert "event log 1009: terminated unexpectedly" in [step.text for step in story.steps]


def test_a_worker_that_did_not_end_in_time(tmp_path: Path) -> None:
    """It had the request before it was told to end."""
    story = tell(
        tmp_path,
        event(0.02, "worker_stopping", 7),
        event(1.02, "event_log", 7, event_id=1013, detail="exceeded its time limits"),
        event(1.03, "worker_died", 7, detail="signal 9"),
    )
    assert (
        "Worker 7 had been given it, was told to shut down 10.0 ms after, and died 1.02 s after "
        "(signal 9); the event log has 1013."
    ) in story.heading


def test_what_is_not_known_is_not_told(tmp_path: Path) -> None:
    """A request that no worker had, and a worker whose end nobody saw."""
    assert tell(tmp_path / "a", worker=None).heading.endswith("AppPool). It was never executed.")
    assert "ended at a moment that nobody wrote down." in tell(tmp_path / "b").heading


def test_only_the_last_life_of_a_process_id_counts(tmp_path: Path) -> None:
    """The one before it was told to end as well."""
    story = tell(
        tmp_path,
        event(-5.0, "worker_started", 7),
        event(-4.0, "worker_stopping", 7),
        event(-3.9, "worker_stopped", 7),
        event(-2.0, "worker_started", 7),
        event(0.02, "worker_died", 7),
    )
    assert "Worker 7 had been given it and died 10.0 ms after." in story.heading


@pytest.mark.parametrize("stopping, late", [(0.0, True), (-0.001, True), (0.001, False)])
def test_late_is_after_it_was_told_to_end(stopping: float, late: bool) -> None:
    """In the same moment is late."""
    fate = Fate(7, 1.0, stopping, 0.5, "worker_stopped", None, None, None)
    assert ("Its connection was bound" in fates.sentence(fate)) == late


def test_one_that_was_told_to_end_and_did_not(tmp_path: Path) -> None:
    """The event log's number and its death are told too, although the request came after."""
    story = tell(
        tmp_path,
        event(-8.0, "worker_serving", 7),
        event(-0.09, "worker_stopping", 7),
        event(1.0, "event_log", 7, event_id=1013, detail="exceeded its time limits"),
        event(1.01, "worker_died", 7, detail="signal 9"),
    )
    assert (
        "which had been told to shut down 100 ms before http.sys sent it there, and which died "
        "1.00 s after (signal 9); the event log has 1013."
    ) in story.heading


@pytest.mark.parametrize(
    "name, said",
    [
        ("worker_died", "died 10.0 ms after."),
        ("worker_killed", "was killed 10.0 ms after."),
        ("worker_orphaned", "was let go of 10.0 ms after."),
        ("worker_stopped", "ended 10.0 ms after."),
    ],
)
def test_how_it_ended(tmp_path: Path, name: str, said: str) -> None:
    """Not every worker that is gone has died."""
    story = tell(tmp_path, event(-8.0, "worker_serving", 7), event(0.02, name, 7))
    assert f"Worker 7 had been given it and {said}" in story.heading


@pytest.mark.parametrize("name", WORKER_ENDS)
def test_a_worker_that_was_gone_took_no_requests(tmp_path: Path, name: str) -> None:
    """However it went, it is not the one that could have had the request."""
    story = tell(
        tmp_path,
        event(-9.0, "worker_serving", 8),
        event(-8.0, "worker_serving", 7),
        event(-0.5, name, 8),
        event(-0.09, "worker_stopping", 7),
        event(0.02, "worker_stopped", 7),
    )
    assert "Its connection was bound to worker 7" in story.heading
    assert "worker 8" not in story.heading
