"""The time line: bins, what was held, pauses, lives and moments."""

import sqlite3
from pathlib import Path

import pytest

from tests.lab.report import bursting, making
from vaultstorm.report import data, timeline
from vaultstorm.report.ports import Pause
from vaultstorm.report.timeline import Mark, Series, Timeline


@pytest.mark.parametrize(
    "span, width",
    [
        (0.0, 0.001),
        (0.121, 0.001),
        (0.2, 0.002),
        (0.499, 0.002),
        (0.5, 0.005),
        (1.0, 0.01),
        (1.999, 0.01),
        (2.0, 0.02),
        (4.999, 0.02),
        (5.0, 0.05),
        (99.999, 0.05),
        (100.0, 0.05),
        (100.001, 0.1),
        (200.001, 0.2),
        (400.001, 0.5),
        (1000.001, 1.0),
        (4000.001, 5.0),
        (10000.001, 10.0),
    ],
)
def test_bins_grow_with_the_run(span: float, width: float) -> None:
    """50 ms from 100 to 2,000 bins, else the next round width that keeps them there, or 1 ms."""
    assert timeline.bin_width(span) == pytest.approx(width)


def build(directory: Path, *rows: tuple[str, making.Row]) -> Timeline:
    """Make a run of these rows alone, and its time line."""
    made = making.Made("one", "One", lambda _, __: iter(rows))
    with data.opened(making.make(directory, [made])) as source:
        line = timeline.build(source.db, "one")
    assert line is not None
    return line


def test_bins(tmp_path: Path) -> None:
    """Arrivals stand where they were due, outcomes where they ended; empty bins are left out."""
    line = build(
        tmp_path,
        making.attempt(0, 0.0, "ok", end=0.9),
        making.attempt(1, 0.0099, "ok", end=0.0101),
        making.attempt(2, 0.0101, "tls.reset", end=1.055),
    )
    assert line.series == (
        Series("arrivals", "arrivals", ((0, 2), (1, 1))),
        Series("ok", "ok", ((1, 1), (90, 1))),
        Series("tls.reset", "reset", ((105, 1),)),
    )
    assert [(series.total, series.peak) for series in line.series] == [(3, 2), (2, 1), (1, 1)]
    assert line.first == 0.0
    assert line.last == pytest.approx(1.055, abs=1e-5)


@pytest.mark.parametrize("kinds, lanes", [(7, 8), (8, 9), (9, 9), (20, 9)])
def test_lanes_are_bounded(tmp_path: Path, kinds: int, lanes: int) -> None:
    """The rarest outcomes share a lane when there are too many, and none is lost."""
    rows = [
        making.attempt(10 * kind + n, 0.0, f"http.{400 + kind}")
        for kind in range(kinds)
        for n in range(kind + 1)
    ]
    line = build(tmp_path, *rows)
    assert len(line.series) == lanes
    assert sum(series.total for series in line.series[1:]) == len(rows)
    assert (line.series[-1].name == "others") == (kinds > timeline.LANES_MAX)


def test_the_first_sample_is_what_was_held_before(tmp_path: Path) -> None:
    """What held when the first attempt came is known from the sample before it."""
    line = build(
        tmp_path,
        making.sample(-9.0, 5, 5),
        making.sample(-1.0, 10, 0),
        making.attempt(0, 0.0, "ok", end=0.5),
        making.sample(0.2, 9, 1),
        making.sample(0.9, 8, 2),
    )
    assert [(round(held.time, 3), held.free) for held in line.held] == [(0.0, 10), (0.2, 9)]


def test_many_samples_keep_the_fullest_moments(tmp_path: Path) -> None:
    """With more samples than points, each bin keeps its deepest queue and its fewest slots."""
    samples = [
        making.sample(n / 1000 + 0.0002, n % 7, n % 11) for n in range(timeline.POINTS_MAX + 1)
    ]
    line = build(tmp_path, making.attempt(0, 0.0, "ok", end=2.01), *samples)
    assert len(line.held) == 101
    assert {held.queued for held in line.held[:-1]} == {10}
    assert {held.free for held in line.held[:-1]} == {0}


def test_pauses_too_close_to_be_told_apart_are_joined() -> None:
    """Only pauses of the same style, with less than the gap between them, are joined."""
    pauses = [
        Pause(0.0, 1.0, "drop"),
        Pause(1.5, 2.0, "drop"),
        Pause(2.51, 3.0, "drop"),
        Pause(3.1, 3.2, "refuse"),
    ]
    assert timeline.merged(pauses, 0.5) == (
        Pause(0.0, 2.0, "drop"),
        Pause(2.51, 3.0, "drop"),
        Pause(3.1, 3.2, "refuse"),
    )
    assert timeline.merged([], 0.5) == ()


def test_what_was_done_long_before_the_load_does_not_stretch_the_chart(tmp_path: Path) -> None:
    """It stands at the left edge and says when; the beginning of a pause is its band's to show."""
    line = build(
        tmp_path,
        making.attempt(0, 0.0, "ok", end=1.0),
        making.event(-0.3, "runner", "action", detail="gate closed"),
        making.event(0.2, "front", "pause_began", detail="drop"),
    )
    (mark,) = line.marks
    assert (mark.label, mark.action) == ("gate closed, 0.3 s before", True)
    assert mark.time == pytest.approx(-0.05, abs=1e-4)


def test_events(tmp_path: Path) -> None:
    """Workers have lives; what the runner did is a mark wherever it is, the rest if it is near."""
    line = build(
        tmp_path,
        making.attempt(0, 0.0, "ok", end=1.0),
        making.event(-5.0, "front", "worker_started", worker=1),
        making.event(-5.0, "front", "accept_suspended"),
        making.event(0.5, "runner", "action", detail="gate closed"),
        making.event(0.501, "front", "gate_closed"),
        making.event(0.699, "front", "gate_open"),
        making.event(0.7, "runner", "action", detail="gate open"),
        making.event(0.75, "front", "accept_suspended"),
        making.event(0.6, "front", "worker_died", worker=1, detail="signal 9"),
        making.event(0.7, "front", "worker_started", worker=2),
        making.event(0.8, "front", "worker_stopped", worker=3),
        making.event(4.0, "runner", "action", detail="kill"),
    )
    marks = [Mark(round(mark.time, 3), mark.label, mark.action) for mark in line.marks]
    assert marks == [
        Mark(0.5, "gate closed", True),
        Mark(0.7, "gate open", True),
        Mark(0.75, "accept suspended", False),
        Mark(4.0, "kill", True),
    ]
    assert line.span == pytest.approx(1.0, abs=1e-5)
    assert line.last == pytest.approx(4.0)
    assert [(life.worker, life.ending) for life in line.lives] == [
        *((1, "worker_died"), (2, ""), (3, "worker_stopped")),
    ]


def test_recycles_are_no_marks(tmp_path: Path) -> None:
    """There may be hundreds; of Windows' events, those that have a number are marks."""
    line = build(
        tmp_path,
        making.attempt(0, 0.0, "ok", end=1.0),
        making.event(0.2, "front", "recycle", worker=1, detail="requests"),
        making.event(0.3, "front", "event_log", worker=1, detail="allowed request limit"),
        making.event(0.4, "front", "event_log", worker=1, event_id=1009, detail="terminated"),
    )
    assert [mark.label for mark in line.marks] == ["event 1009"]
    assert [round(time, 3) for time in line.recycles] == [0.2]


@pytest.mark.parametrize("times, labels", [(12, 12), (13, 1), (500, 1)])
def test_many_moments_with_the_same_words_are_one(tmp_path: Path, times: int, labels: int) -> None:
    """The first says how many there are; what was done once beside them keeps its own line."""
    repeated = [making.event(n / 1000, "runner", "action", detail="recycle") for n in range(times)]
    line = build(
        tmp_path,
        making.attempt(0, 0.0, "ok", end=1.0),
        making.event(0.6, "runner", "action", detail="gate open"),
        *repeated,
    )
    first, *rest = sorted({mark.label for mark in line.marks}, reverse=True)
    assert first == ("recycle" if labels > 1 else f"recycle, first of {times}")
    assert rest == ["gate open"]
    assert len(line.marks) == labels + 1


def test_no_attempt_no_time_line(db: sqlite3.Connection) -> None:
    """A variant without attempts has none."""
    assert timeline.build(db, "nobody") is None


def test_what_the_vault_holds(tmp_path: Path) -> None:
    """At each moment; where there are too many, the most of each."""
    made = [making.sample(n / 400, 9, 0, vault=(n % 5, n % 3)) for n in range(4000)]
    line = build(tmp_path / "few", making.attempt(0, 0.0, "ok", end=10.0), *made[:100])
    assert [(h.interfaces, h.threads_held) for h in line.held[:4]] == [
        *((0, 0), (1, 1), (2, 2), (3, 0)),
    ]
    line = build(tmp_path / "many", making.attempt(0, 0.0, "ok", end=10.0), *made)
    assert len(line.held) == 200
    assert {(h.interfaces, h.threads_held, h.free) for h in line.held} == {(4, 2, 9)}


def test_marks_of_the_vault(tmp_path: Path) -> None:
    """Short, and no more of the same than there is room for."""
    rows = [
        making.event(n / 10, "front", "released_entry_touched", worker=n, detail=f"{n}")
        for n in range(30)
    ]
    line = build(tmp_path, making.attempt(0, 0.0, "ok", end=10.0), *rows)
    assert [mark.label for mark in line.marks] == ["released entry touched, first of 30"]


def test_the_two_ports_of_a_dcom_burst_have_their_own_queues(tmp_path: Path) -> None:
    """Of many samples the fullest moment is kept: the most that waits, the fewest free slots."""
    rows = [bursting.tried(0, "call", 0.0, "ok", end=10.0)]
    rows += [bursting.held(n / 1000, (n % 2, 9 - n % 2), (3, n % 5)) for n in range(10_000)]
    made = making.Made("one", "One", lambda _, __: iter(rows))
    with data.opened(making.make(tmp_path, [made])) as source:
        line = timeline.build(source.db, "one")
    assert line is not None
    (side,) = line.sides
    assert len(side.held) <= timeline.POINTS_MAX
    assert {(held.queued, held.free) for held in side.held[:-1]} == {(3, 0)}
    assert {(h.resolver_queued, h.resolver_free) for h in line.held[:-1]} == {(1, 8)}


def test_a_run_without_rpc_has_no_sides(run: Path) -> None:
    """There is one accept queue, and it is HTTP's."""
    with data.opened(run) as source:
        line = timeline.build(source.db, "broken")
    assert line is not None
    assert line.sides == ()
