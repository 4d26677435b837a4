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
        (
            [{"action": "zap"}],
            "here 1: action = 'zap': write gate closed, gate open, gate resolver closed,",
        ),
        ([{"action": "recycel", "at": 0}], "here 1: action = 'recycel': did you mean recycle?"),
        ([{"action": "set", "at": 0}], "here 1: action = 'set': write gate closed"),
        ([{"action": "kill", "at": float("inf")}], "here 1: at: a moment that comes"),
        (
            [{"action": "worker die", "at": 0}],
            "here 1: action = 'worker die': did you mean worker kill?",
        ),
        (
            [{"action": "set afd.Backlog=9", "at": 0}],
            "here 1: action = 'set afd.Backlog=9': afd.Backlog is read once",
        ),
        (
            [{"action": "set apppool.PingIntervall=9", "at": 0}],
            "here 1: action = 'set apppool.PingIntervall=9': there is no apppool.PingInter",
        ),
        (
            [{"action": "set apppool.MaxProcesses", "at": 0}],
            "here 1: action = 'set apppool.MaxProcesses': 'apppool.MaxProcesses' sets nothing: wr",
        ),
        (
            [{"action": "set apppool.MaxProcesses=0", "at": 0}],
            "here 1: action = 'set apppool.MaxProcesses=0': apppool.MaxProcesses = 0 is out of",
        ),
        (
            [{"action": "set apppool.Name=x", "at": 0}],
            "here 1: action = 'set apppool.Name=x': apppool.Name is read once, when the server",
        ),
        ([{"action": "recycle", "at": 0, "every": 0}], "here 1: every: longer than 0, and not"),
        ([{"action": "recycle", "at": 0, "every": "x"}], "here 1: every = 'x' is not a duration"),
        ([{"action": "stop", "at": 0, "every": 1}], "here 1: stop ends the server: it cannot be"),
        ([{"action": "kill"}], "here 1: give either at or when"),
        ([{"action": "kill", "at": 0, "when": "queued > 1"}], "here 1: give either at or when"),
        ([{"action": "occupy", "at": 0}], "here 1: action = 'occupy': write gate closed"),
        ([{"action": "occupy 0", "at": 0}], "here 1: action = 'occupy 0': write occupy N, with"),
        ([{"action": "occupy 1001", "at": 0}], "here 1: action = 'occupy 1001': write occupy N"),
        ([{"action": "occupy x", "at": 0}], "here 1: action = 'occupy x': write occupy N, with"),
        ([{"signal": "HUP", "at": 0}], "here 1: signal: it cannot be done to our own server; na"),
        ([{"at": 0}], "here 1: action is missing"),
        ([{"action": "kill", "att": 0}], "here 1: there is no key att; did you mean at?"),
        ([{"action": "kill", "at": "x"}], "here 1: at = 'x' is not a duration"),
        (["kill"], "here 1: has to be a table"),
        ([{"action": "stop", "at": 2}, {"action": "kill", "at": 1}], "here 2: it is earlier than"),
        (
            [{"action": "kill", "when": "queue > 1"}],
            "here 1: when 'queue > 1': there is no number 'queue'; did",
        ),
        ([{"action": "kill", "when": "dynamic > 0"}], "here 1: when 'dynamic > 0': there is no"),
        ([{"action": "kill", "when": "queued"}], "here 1: when 'queued': write KEY OPERATOR"),
    ],
)
def test_what_is_wrong_is_named(tables: list[Any], said: str) -> None:
    """Each is named by its place in the list."""
    with pytest.raises(UsageError) as caught:
        read(tables, "here")
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    "action, path",
    [
        ("gate closed", "/gate/closed"),
        ("gate exporter closed", "/gate/exporter/closed"),
        ("gate resolver open", "/gate/resolver/open"),
        ("recycle", "/recycle"),
        ("stop-pool", "/stop-pool"),
        ("worker hang", "/worker/hang"),
        ("apply-hotfix TECH39579", "/apply-hotfix/TECH39579"),
        ("set apppool.PingInterval=500ms", "/set/apppool.PingInterval%3D500ms"),
        (
            "set apppool.PeriodicRestartSchedule=03:00, 15:30",
            "/set/apppool.PeriodicRestartSchedule%3D03%3A00%2C%2015%3A30",
        ),
    ],
)
def test_the_control_plane_has_a_path_for_each(action: str, path: str) -> None:
    """Words become steps of the path, and what a setting may contain is quoted."""
    (read_,) = read([{"action": action, "at": 0}], "here")
    assert read_.path == path


@pytest.mark.parametrize(
    "written, action",
    [
        ("set  apppool.MaxProcesses=1", "set apppool.MaxProcesses=1"),
        ("recycle ", "recycle"),
        ("apply-hotfix  kb908739", "apply-hotfix KB908739"),
        (" gate   open", "gate open"),
    ],
)
def test_white_space_means_nothing(written: str, action: str) -> None:
    """However much of it there is, before, between and after the words."""
    (read_,) = read([{"action": written, "at": 0}], "here")
    assert read_.action == action


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


def test_a_condition_may_be_between_two_sums() -> None:
    """As in an expectation."""
    (action,) = read([{"action": "recycle", "when": "held + waiting >= capacity"}], "here")
    assert str(action) == "recycle when held+waiting>=capacity"
    schedule = Schedule([action])
    assert schedule.next(1.0, lambda: {"held": 2, "waiting": 2, "capacity": 5}) is None
    assert schedule.next(1.0, lambda: {"held": 2, "waiting": 3, "capacity": 5}) is action


def taken(schedule: Schedule, elapsed: float) -> list[str]:
    """Take all that is due at a moment."""
    return [action.action for action in iter(lambda: schedule.next(elapsed, nothing), None)]


def test_an_action_is_repeated_until_the_load_ends() -> None:
    """From its first time on, at its pace; what was missed is not made up for."""
    schedule = Schedule([Action(action="recycle", at=1.0, every=0.25)])
    assert schedule.before() == []
    assert taken(schedule, 0.999) == []
    assert taken(schedule, 1.0) == ["recycle"]
    assert schedule.pending == ()
    assert taken(schedule, 1.249) == []
    assert taken(schedule, 1.25) == ["recycle"]
    assert taken(schedule, 1.25) == []
    assert taken(schedule, 2.3) == ["recycle"]
    assert taken(schedule, 2.499) == []
    assert taken(schedule, 2.5) == ["recycle"]


def test_an_action_that_is_repeated_holds_nobody_back() -> None:
    """Those after it come in their order, before its next time; it may begin before the load."""
    repeated, closed, open_ = read(
        [
            {"action": "recycle", "at": 0, "every": "1s"},
            {"action": "gate closed", "at": 1},
            {"action": "gate open", "when": "serving > 0", "every": "1s"},
        ],
        "here",
    )
    assert str(repeated) == "recycle at 0 s, every 1 s"
    schedule = Schedule([repeated, closed, open_])
    assert schedule.before() == [repeated]
    assert taken(schedule, 1.0) == ["gate closed", "recycle"]
    assert schedule.next(1.5, lambda: {"serving": 1}) is open_
    assert taken(schedule, 2.499) == ["recycle"]
    assert taken(schedule, 2.5) == ["gate open"]


@pytest.mark.parametrize(
    "action, said",
    [
        ("apply-hotfix", "write gate closed, "),
        ("apply-hotfix TECH39578", "there is no hotfix 'TECH39578'; "),
        ("apply-hotfix all", "there is no hotfix 'all'; "),
        ("apply hotfix", "write gate closed, "),
    ],
)
def test_a_hotfix_is_named(action: str, said: str) -> None:
    """One at a time, as on a server that runs; what is none is refused when the file is read."""
    with pytest.raises(UsageError) as caught:
        read([{"action": action, "at": 0}], "here")
    assert str(caught.value).startswith(f"here 1: action = {action!r}: {said}")
