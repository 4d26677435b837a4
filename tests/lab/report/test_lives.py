"""The lives of workers, and what was lost with them."""

from pathlib import Path
from typing import Any

import pytest

from tests.lab.report import making
from vaultstorm.report import data, lives, timeline
from vaultstorm.report.lives import Ends, Life


def lost(worker: int | None, time: float, **more: Any) -> tuple[str, making.Row]:
    """Make a request that was lost with a worker."""
    row = {"id": "a", "connection": 1, "peer": "p", "method": "GET", "target": "/", "time": time}
    row |= {"worker": worker, "cause": "Connection_Abandoned_By_AppPool"}
    return "request", row | more


def read(directory: Path, *rows: tuple[str, making.Row]) -> tuple[tuple[Life, ...], Ends | None]:
    """Make a run of these rows alone, and read lives and ends from it."""
    made = making.Made("one", "One", lambda _, __: iter(rows))
    with data.opened(making.make(directory, [made])) as source:
        found = lives.read(source.db, "one", making.EPOCH, 10.0)
        return tuple(map(rounded, found)), lives.ends(source.db, "one")


def rounded(life: Life) -> Life:
    """Give a life whose moments can be compared."""
    started, serving, stopping, until = (
        None if moment is None else round(moment, 3)
        for moment in (life.started, life.serving, life.stopping, life.until)
    )
    lost = tuple((round(time, 3), n) for time, n in life.lost)
    return Life(life.worker, started, serving, stopping, until, life.ending, lost)


def event(time: float, name: str, worker: int) -> tuple[str, making.Row]:
    """Make a moment of a worker."""
    return making.event(time, "front", f"worker_{name}", worker=worker)


def test_a_life_has_four_moments(tmp_path: Path) -> None:
    """Of each the first counts; what was not seen is None."""
    found, ends = read(
        tmp_path,
        event(1.0, "started", 1),
        event(1.5, "serving", 1),
        event(2.0, "stopping", 1),
        event(2.2, "stopping", 1),
        event(2.5, "stopped", 1),
        event(2.6, "died", 1),
        event(2.1, "serving", 2),
        event(2.7, "orphaned", 3),
        making.event(2.8, "front", "recycle", worker=4),
    )
    assert found == (
        Life(1, 1.0, 1.5, 2.0, 2.5, "worker_stopped"),
        Life(2, None, 2.1),
        Life(3, until=2.7, ending="worker_orphaned"),
    )
    assert ends is None


def test_a_process_id_that_is_used_twice_is_two_lives(tmp_path: Path) -> None:
    """What was lost is shown with the later one."""
    found, _ = read(
        tmp_path,
        event(1.0, "started", 1),
        event(2.0, "died", 1),
        event(3.0, "started", 1),
        lost(1, 3.5),
    )
    assert found == (
        Life(1, 1.0, until=2.0, ending="worker_died"),
        Life(1, 3.0, lost=((3.5, 1),)),
    )


def test_losses_stand_where_their_requests_came(tmp_path: Path) -> None:
    """Those of one moment are one; what was answered is not lost, what no worker had no life's."""
    found, ends = read(
        tmp_path,
        event(1.0, "started", 1),
        event(2.0, "stopping", 1),
        event(2.02, "stopped", 1),
        lost(1, 2.001),
        lost(1, 2.002),
        lost(1, 2.011),
        lost(1, 1.5),
        lost(1, 2.003, status=503),
        lost(1, 2.003, cause=None),
        lost(None, 2.003),
    )
    assert found[0].lost == ((1.5, 1), (2.0, 2), (2.01, 1))
    assert ends is not None
    assert (ends.lost, ends.late, ends.waited) == (4, 3, 1)
    assert ends.least == pytest.approx(0.001, abs=1e-5)
    assert ends.most == pytest.approx(0.011, abs=1e-5)


@pytest.mark.parametrize(
    "cause, expected",
    [("Connection_Abandoned_By_AppPool", Ends(0, 0, 0.0, 0.0, 2)), ("QueueFull", None)],
)
def test_what_only_waited_for_a_worker(tmp_path: Path, cause: str, expected: Ends | None) -> None:
    """It was lost with it too; what http.sys refused was not."""
    rows = [lost(None, time, cause=cause) for time in (1.1, 1.2)]
    _, ends = read(tmp_path, event(1.0, "started", 1), *rows, event(1.3, "died", 1))
    assert ends == expected


def test_losses_without_a_stop_are_not_late(tmp_path: Path) -> None:
    """A crash takes what it held."""
    _, ends = read(tmp_path, event(1.0, "started", 1), lost(1, 1.2), event(1.3, "died", 1))
    assert ends == Ends(1, 0, 0.0, 0.0)


@pytest.mark.parametrize(
    "spans, most",
    [
        ([], 0),
        ([(0, 1)], 1),
        ([(0, 1), (1, 2)], 1),
        ([(0, 1.1), (1, 2)], 2),
        ([(None, None), (1, None), (3, None)], 3),
    ],
)
def test_workers_at_a_time(spans: list[tuple[float | None, float | None]], most: int) -> None:
    """One that ends as the next starts is not beside it; an unseen end is none."""
    assert lives.most_at_once(Life(1, started=a, until=b) for a, b in spans) == most


@pytest.mark.parametrize(
    "cause, lost", [("Connection_Dropped", 0), ("Connection_Abandoned_By_AppPool", 1)]
)
def test_a_client_that_went_was_not_lost_with_the_worker(
    tmp_path: Path, cause: str, lost: int
) -> None:
    """The worker had its request, and lives on."""
    rows = [
        making.attempt(0, 0.0, "wait.timeout", end=1.0),
        making.event(-1.0, "front", "worker_started", worker=7),
        ("request", {"connection": 1, "peer": "x", "method": "GET", "target": "/"}),
    ]
    rows[2][1].update(worker=7, time=0.5, cause=cause)
    made = making.Made("one", "One", lambda _, __: iter(rows))
    with data.opened(making.make(tmp_path, [made])) as source:
        line = timeline.build(source.db, "one")
    assert line is not None
    assert sum(count for _, count in line.lives[0].lost) == lost
    assert (line.ends is not None) == bool(lost)
