"""The policy of an application pool when its settings change while it runs."""

import pytest
from msgspec.structs import replace

from tests.server.w3svc.driven import QUIET, Driven, started, steps
from vaultstorm_server.w3svc.recycling import Reason

GARDEN = replace(QUIET, MaxProcesses=2)


def configured(driven: Driven, **changes: int | float | str) -> list[str]:
    """Change some settings; say what is done."""
    driven.settings = replace(driven.settings, **changes)
    return steps(driven.do(driven.policy.configure(driven.settings, driven.now)))


def test_a_changed_setting_recycles() -> None:
    """Only a change does; with DisallowRotationOnConfigChange none does."""
    driven = started()
    assert configured(driven) == []
    assert configured(driven, RapidFailProtectionMaxCrashes=1) == ["start 2"]
    assert driven.up(2)
    assert driven[1].leaving is Reason.CONFIG_CHANGE
    assert configured(driven, DisallowRotationOnConfigChange=1) == []
    assert steps(driven.exit(2, "SIGSEGV", -11)) == ["drop 2", "refuse AppOffline"]
    assert configured(driven, RapidFailProtectionMaxCrashes=2) == []


def test_a_changed_setting_demands_nothing() -> None:
    """A pool that waits for its first request goes on waiting."""
    driven = Driven(replace(GARDEN, DemandStart=1))
    driven.do(driven.policy.start(driven.now))
    assert configured(driven, MaxProcesses=3) == []
    assert driven.policy.wanted == 0


@pytest.mark.parametrize("disallowed", [0, 1])
def test_more_processes(disallowed: int) -> None:
    """They are started beside those that are replaced, or that stay."""
    driven = started(replace(QUIET, DisallowRotationOnConfigChange=disallowed))
    expected = ["start 2", "start 3", "start 4"] if not disallowed else ["start 2", "start 3"]
    assert configured(driven, MaxProcesses=3) == expected


def test_fewer_processes_replaced() -> None:
    """Those too many stop at once; the last serves until the new one does."""
    driven = started(replace(QUIET, MaxProcesses=3))
    assert configured(driven, MaxProcesses=1) == ["stop 1", "stop 2"]
    assert steps(driven.exit(1)) == ["drop 1"]
    assert steps(driven.exit(2)) == ["drop 2", "start 4"]
    assert steps(driven.up(4)) == ["serve 4", "stop 3"]


def test_fewer_processes_kept() -> None:
    """Those that start are given up first, then the oldest."""
    driven = started(replace(QUIET, MaxProcesses=3, DisallowRotationOnConfigChange=1))
    driven.exit(3, "SIGKILL", -9)
    assert configured(driven, MaxProcesses=1) == ["drop 4", "kill 4", "stop 1"]
    driven.exit(4, "SIGKILL", -9)
    driven.exit(1)
    assert [worker.number for worker in driven.living] == [2]


def test_rotation_that_may_not_overlap_any_more() -> None:
    """One that waits for its replacement stops, and so does the replacement if there are both."""
    driven = started()
    driven.do(driven.policy.recycle(Reason.ON_DEMAND, driven.now))
    driven.up(2)
    driven.exit(1)
    driven.do(driven.policy.recycle(Reason.ON_DEMAND, driven.now))
    assert configured(driven, DisallowOverlappingRotation=1) == ["stop 2"]
    assert steps(driven.up(3)) == ["serve 3"]
