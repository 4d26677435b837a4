"""When a worker process is recycled."""

import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultstorm_server.settings import AppPool
from vaultstorm_server.w3svc.recycling import Reason, next_scheduled, over_memory, spread


@pytest.fixture(autouse=True)
def _zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Live where the clocks change: on 2026-03-29 from 02:00, on 2026-10-25 from 03:00."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def at(day: str, clock: str, fold: int = 0) -> float:
    """Give a local time in 2026 as seconds since 1970."""
    return datetime.fromisoformat(f"2026-{day}T{clock}").replace(fold=fold).timestamp()


def test_the_reasons_have_the_bits_of_log_event_on_recycle() -> None:
    """Each has its own, and together they are all that the key allows."""
    assert {reason.value: reason.bit for reason in Reason} == {
        "time": 1,
        "requests": 2,
        "schedule": 4,
        "memory": 8,
        "isapi unhealthy": 16,
        "on demand": 32,
        "config change": 64,
        "private memory": 128,
    }


@pytest.mark.parametrize(
    "virtual, private, reason",
    [
        (0, 0, None),
        (99, 49, None),
        (100, 0, Reason.MEMORY),
        (101, 49, Reason.MEMORY),
        (99, 50, Reason.PRIVATE_MEMORY),
        (100, 50, Reason.MEMORY),
    ],
)
def test_memory_is_too_much_when_it_reaches_the_limit(
    virtual: int, private: int, reason: Reason | None
) -> None:
    """Either limit will do; virtual memory is named first."""
    settings = AppPool(PeriodicRestartMemory=100, PeriodicRestartPrivateMemory=50)
    assert over_memory(settings, virtual, private) is reason


def test_without_a_limit_no_memory_is_too_much() -> None:
    """0 is off, for each of the two by itself."""
    assert over_memory(AppPool(), 1 << 60, 1 << 60) is None
    assert over_memory(AppPool(PeriodicRestartMemory=1), 0, 1 << 60) is None


@pytest.mark.parametrize("schedule", ["", " "])
def test_an_empty_schedule_never_comes(schedule: str) -> None:
    """There is nothing to wait for."""
    assert next_scheduled(schedule, at("05-05", "12:00")) is None


@pytest.mark.parametrize(
    "now, due",
    [
        ("02:59:59.999", ("05-05", "03:00")),
        ("03:00", ("05-05", "15:30")),
        ("15:29:59", ("05-05", "15:30")),
        ("15:30", ("05-06", "03:00")),
        ("23:59:59", ("05-06", "03:00")),
    ],
)
def test_the_next_scheduled_time_is_after_now(now: str, due: tuple[str, str]) -> None:
    """At the very moment it is the one after that; after the last comes tomorrow's first."""
    assert next_scheduled("15:30, 03:00", at("05-05", now)) == at(*due)


def test_a_time_that_the_clocks_leave_out_comes_as_much_later() -> None:
    """02:30 on the day on which 02:00 is followed by 03:00 is 03:30."""
    due = next_scheduled("02:30", at("03-29", "01:59"))
    assert due == at("03-29", "03:30")
    assert next_scheduled("02:30", at("03-29", "03:30")) == at("03-30", "02:30")


def test_a_time_that_the_clocks_repeat_counts_once() -> None:
    """The first 02:30 counts; in the second there is nothing until tomorrow."""
    assert next_scheduled("02:30", at("10-25", "01:00")) == at("10-25", "02:30")
    assert next_scheduled("02:30", at("10-25", "02:30")) == at("10-26", "02:30")
    assert next_scheduled("02:30", at("10-25", "02:10", fold=1)) == at("10-26", "02:30")


@given(
    st.lists(st.times().map(lambda t: f"{t:%H:%M}"), min_size=1, max_size=5),
    st.floats(0, 4e9),
)
def test_there_is_always_a_next_time_within_a_day_or_so(clocks: list[str], now: float) -> None:
    """It is later than now, and not by more than a day and an hour of changed clocks."""
    due = next_scheduled(",".join(clocks), now)
    assert due is not None
    assert 0 < due - now <= 25 * 3600


def test_one_worker_has_the_whole_time() -> None:
    """Nothing is spread where there is no other."""
    assert spread(100.0, 60.0, 1, []) == 160.0


def test_a_web_garden_that_starts_at_once_is_spread_over_the_time() -> None:
    """Three come due a third of the time apart, the latest after all of it."""
    taken: list[float] = []
    for _ in range(3):
        taken.append(spread(0.0, 60.0, 3, taken))
    assert taken == pytest.approx([60.0, 40.0, 20.0])


def test_once_spread_each_has_the_whole_time() -> None:
    """A replacement comes due exactly one period later, as those it joins are spread already."""
    assert spread(20.0, 60.0, 3, [60.0, 40.0]) == pytest.approx(80.0)
    assert spread(20.1, 60.0, 3, [60.0, 40.0]) == pytest.approx(80.1)


@pytest.mark.parametrize("other, due", [(70.0, 20.0), (100.0, 50.0), (51.0, 1.0), (49.0, 100.0)])
def test_one_that_is_too_near_is_avoided(other: float, due: float) -> None:
    """Half of the time has to lie between two: it comes early for that, and never late."""
    assert spread(0.0, 100.0, 2, [other]) == pytest.approx(due)


@given(
    st.floats(0, 1e9),
    st.floats(0.01, 4e6),
    st.integers(1, 64),
    st.lists(st.floats(-1, 1), max_size=63),
)
def test_none_is_recycled_late_or_before_it_serves(
    since: float, period: float, count: int, offsets: list[float]
) -> None:
    """Whatever others there are, the time lies after the hello and within the period."""
    due = spread(since, period, count, [since + offset * period for offset in offsets])
    assert since < due <= since + period
