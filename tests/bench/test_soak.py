"""The soak: what its courses are, and that one short round of it runs."""

from pathlib import Path

import pytest

from bench import certificate, soak
from bench.result import Column, Measurement
from bench.setup import Setup


def test_there_is_a_course_without_recycling_for_every_number_of_workers() -> None:
    """What a p99 is held against."""
    still = [course.workers for course in soak.COURSES if not course.recycles]
    assert still == list(soak.WORKERS)


@pytest.mark.timeout(120)
def test_a_short_course_loses_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    """A round of a second: recycles there were, and every figure is there."""
    course = soak.Course("short", 1, ("apppool.PeriodicRestartRequests=100",), recycles=True)
    result = Measurement("soak", "short", [Column("p99", "p99 ms")])
    setup = Setup(tmp_path, certificate.make(tmp_path), quick=True)
    soak._drive(setup, course, 1, result)
    row = result.row("short")
    wanted = {"lost": 0, "twice": 0, "unexplained": 0, "zombies": 0}
    assert {key: row.value(key) for key in wanted} == wanted
    assert (row.value("recycles") or 0) >= 5
    assert (row.value("requests") or 0) >= 1000
    assert not list((tmp_path / "soak").glob("short"))
