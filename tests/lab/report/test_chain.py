"""The chain that leads to the hang: what came first, and what it led to."""

from pathlib import Path

import pytest

from tests.lab.report import making, vaulting
from vaultstorm.events import CORRUPTION_CRASH, VAULT_CHAIN
from vaultstorm.report import chain, data
from vaultstorm.report.chain import Chain, Link


def read(directory: Path, *rows: tuple[str, making.Row]) -> Chain | None:
    """Read the chain of a variant of an attempt and these rows."""
    rows = (making.attempt(99, 0.0, "ok", end=10.0), *rows)
    made = making.Made("one", "One", lambda _, __: iter(rows))
    with data.opened(making.make(directory, [made])) as source:
        return chain.read(source.db, "one", making.EPOCH)


def refused(time: float) -> tuple[str, making.Row]:
    """Make a request that found the queue full."""
    row = {"id": f"r-{time}", "connection": 1, "peer": "p", "method": "GET", "target": "/"}
    return "request", row | {"time": time, "cause": "QueueFull"}


def told(found: Chain | None) -> list[tuple[float, str]]:
    """Give moments and names."""
    assert found is not None
    return [(round(link.time, 3), link.name) for link in found.links]


def test_the_whole_chain(tmp_path: Path) -> None:
    """The first of each step in order of time, with what clients and http.sys saw of it."""
    with data.opened(vaulting.run(tmp_path)) as source:
        found = data.read(source).variants[0].chain
    assert found is not None
    assert told(found) == [
        (0.08, "reentrance"),
        (1.21, "wrong_release"),
        (1.29, "released_entry_touched"),
        (1.46, "clean_up_died"),
        (6.31, "table_full"),
        (9.0, "client_hang"),
        (9.43, "pool_hung"),
        (10.21, "queue_full"),
    ]
    assert (found.title, found.harmless) == ("How it came to the hang", False)
    third, client = found.links[2], found.links[5]
    assert (third.worker, third.times) == (vaulting.WORKER, 2)
    assert third.detail == "3d63-4, by a method inside it"
    assert (client.worker, client.detail) == (None, "wait.timeout after 4 s")


def test_nothing_to_tell(tmp_path: Path) -> None:
    """Without two methods in an entry there is no chain, whatever else happened."""
    assert read(tmp_path, making.event(1.0, "front", "recycle", worker=7)) is None


def test_methods_that_met_and_nothing_else(tmp_path: Path) -> None:
    """As with the hotfix."""
    found = read(tmp_path, *vaulting.chain("reentrance"))
    assert found is not None
    assert (told(found), found.harmless) == ([(0.08, "reentrance")], True)
    assert found.title == "How far it came"


@pytest.mark.parametrize(
    "names, title",
    [
        (["reentrance", "wrong_release"], "How far it came"),
        (["reentrance", "wrong_release", "clean_up_died", "table_full"], "How far it came"),
        (["pool_hung"], "How it came to the hang"),
    ],
)
def test_what_it_led_to(tmp_path: Path, names: list[str], title: str) -> None:
    """As far as it came in this run, and no further."""
    found = read(tmp_path, *vaulting.chain(*names))
    assert found is not None
    assert (found.title, found.harmless) == (title, False)


def test_a_crash(tmp_path: Path) -> None:
    """The chain may end there instead."""
    crash = making.event(1.4, "front", CORRUPTION_CRASH, worker=7, detail="SIGSEGV")
    found = read(tmp_path, *vaulting.chain("reentrance", "wrong_release"), crash)
    assert found is not None
    assert found.title == "How it came to the crash"
    last = found.links[-1]
    assert last == Link(last.time, CORRUPTION_CRASH, 7, "SIGSEGV")


@pytest.mark.parametrize("took, seen", [(1.2, []), (1.4, ["client_hang"])])
def test_a_client_that_gave_up_before_the_table_was_full(
    tmp_path: Path, took: float, seen: list[str]
) -> None:
    """It is not the first to see the hang, however the clocks of both sides differ."""
    found = read(tmp_path, *vaulting.lost(1, 5.0, took), *vaulting.chain("table_full"))
    assert [name for _, name in told(found)] == ["table_full", *seen]


@pytest.mark.parametrize(
    "moments, seen",
    [([1.0], []), ([6.309], []), ([6.31], [6.31]), ([1.0, 6.309, 7.0, 8.0], [7.0])],
    ids=["long before", "just before", "with it", "before and after"],
)
def test_a_queue_that_was_full_before_the_table_was(
    tmp_path: Path, moments: list[float], seen: list[float]
) -> None:
    """A burst did that: the chain has the first refusal of those that the hang caused."""
    found = read(tmp_path, *map(refused, moments), *vaulting.chain("table_full"))
    assert [time for time, name in told(found) if name == chain.QUEUE_FULL] == seen


def test_a_full_queue_without_a_full_table(tmp_path: Path) -> None:
    """It is none of the chain."""
    found = read(tmp_path, refused(2.0), *vaulting.chain("reentrance"))
    assert [name for _, name in told(found)] == ["reentrance"]


def test_a_full_queue_may_have_room_again() -> None:
    """Nothing is said of what comes after the first refusal: answers may."""
    assert "from here on" not in chain.STEPS[chain.QUEUE_FULL]


def test_every_step_has_its_words() -> None:
    """Those of the journal, and the two that others see."""
    assert set(chain.STEPS) == {*VAULT_CHAIN, CORRUPTION_CRASH, chain.CLIENT, chain.QUEUE_FULL}
