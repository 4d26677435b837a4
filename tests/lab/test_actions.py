"""Actions: how they are written, and when each is due."""

from typing import Any

import pytest

from vaultstorm.actions import Action, Schedule, read
from vaultstorm_wire.errors import UsageError


def nothing() -> None:
    """Look where there is nothing to see."""


@pytest.mark.parametrize(
    "tables, said",
    [
        ([{"action": "open"}], "here 1: action = 'open': write gate closed, gate open, kill, stop"),
        ([{"action": "kill"}], "here 1: give either at or when"),
        ([{"action": "kill", "at": 0, "when": "queued > 1"}], "here 1: give either at or when"),
        ([{"at": 0}], "here 1: action is missing"),
        ([{"action": "kill", "att": 0}], "here 1: there is no key att; did you mean at?"),
        ([{"action": "kill", "at": "x"}], "here 1: at = 'x' is not a duration"),
        (["kill"], "here 1: has to be a table"),
        ([{"action": "stop", "at": 2}, {"action": "kill", "at": 1}], "here 2: it is earlier than"),
        ([{"action": "kill", "when": "queue > 1"}], "here 1: when 'queue > 1': the result has no"),
        ([{"action": "kill", "when": "dynamic > 0"}], "here 1: when 'dynamic > 0': the result has"),
        ([{"action": "kill", "when": "queued"}], "here 1: when 'queued': write KEY OPERATOR"),
    ],
)
def test_what_is_wrong_is_named(tables: list[Any], said: str) -> None:
    """Each is named by its place in the list."""
    with pytest.raises(UsageError) as caught:
        read(tables, "here")
    assert str(caught.value).startswith(said)


def test_actions_before_the_load() -> None:
    """At 0 is before the first SYN, but not behind one that waits."""
    schedule = Schedule(
        read(
            [
                {"action": "gate closed", "at": "0s"},
                {"action": "gate open", "at": 0},
                {"action": "gate closed", "when": "queued >= 0"},
                {"action": "gate open", "at": 0},
            ],
            "here",
        )
    )
    assert [action.action for action in schedule.before()] == ["gate closed", "gate open"]
    assert [str(action) for action in schedule.pending] == [
        "gate closed when queued>=0",
        "gate open at 0 s",
    ]


def test_a_moment_is_due_when_it_is_reached() -> None:
    """Not before, and only once; nobody looks at the counters for it."""
    action = Action(action="kill", at=2.0)
    schedule = Schedule([action])
    assert schedule.before() == []
    assert schedule.next(1.999, nothing) is None
    assert schedule.next(2.0, nothing) is action
    assert schedule.next(3.0, nothing) is None


def test_a_condition_is_due_when_it_holds() -> None:
    """It waits for the number, and holds back what comes after it."""
    first, second = read(
        [{"action": "gate open", "when": "queued + ended == 5"}, {"action": "kill", "at": "1s"}],
        "here",
    )
    schedule = Schedule([first, second])
    assert schedule.next(9.0, nothing) is None
    assert schedule.next(9.0, lambda: {"queued": 2, "ended": 2}) is None
    assert schedule.next(9.0, lambda: {"queued": 2, "ended": 3}) is first
    assert schedule.next(9.0, nothing) is second
    assert schedule.pending == ()
