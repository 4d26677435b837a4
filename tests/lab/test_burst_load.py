"""Our own client as a load: its command line, and how it may end."""

from pathlib import Path

import pytest

from vaultstorm.actions import Action
from vaultstorm.burst_load import LOG, RESULT, BurstLoad
from vaultstorm_client.plan import Plan
from vaultstorm_wire.errors import MachineError, VaultstormError


def load(directory: Path, **more: object) -> BurstLoad:
    """Make a load."""
    ca = "/ca.pem" if more.pop("tls", False) else None
    return BurstLoad(Plan(clients=2, requests=3), "http://h:1", ca, directory, bool(more))


def test_its_command_is_the_plan(tmp_path: Path) -> None:
    """With the target, what it trusts, and where it writes."""
    command = load(tmp_path, tls=True).command
    assert command[2:6] == ["-m", "vaultstorm", "burst", "http://h:1"]
    assert {"--clients=2", "--requests=3", "--ca=/ca.pem"} < set(command)
    assert f"--json={tmp_path / RESULT}" in command
    assert "--allow-remote" in load(tmp_path, allow_remote=True).command
    assert not {"--allow-remote", "--ca=/ca.pem"} & set(load(tmp_path).command)


def test_it_counts_its_attempts_itself(tmp_path: Path) -> None:
    """Whatever the server counts."""
    made = load(tmp_path)
    assert not made.begun()
    assert made.ended({"finished": 9}) == 0
    assert made.line() == "0 of 6 attempts ended"


def test_how_it_may_end(tmp_path: Path) -> None:
    """Fine, cut, interrupted, with a finding; anything else is an error that says why."""
    made = load(tmp_path)
    (tmp_path / LOG).write_text("x\nvaultstorm: too few descriptors\n")
    assert made.finish(0, None) == []
    assert made.finish(130, None) == ["the load was interrupted"]
    for code in (130, 1, -2, None):
        assert made.finish(code, "interrupted") == []
    with pytest.raises(MachineError, match=r"^the load ended with exit 3: too few descriptors$"):
        made.finish(3, None)
    with pytest.raises(VaultstormError) as caught:
        made.finish(4, None)
    assert caught.value.exit_code == 4
    with pytest.raises(MachineError, match="exit 1"):
        made.finish(1, None)
    (tmp_path / RESULT).write_text("{}")
    assert made.finish(1, None) == []


def test_an_action_that_never_came_due_is_a_failure(tmp_path: Path) -> None:
    """The run was not the one that is written."""
    assert load(tmp_path).unmet([]) == []
    assert load(tmp_path).unmet([Action(action="recycle", at=2.0)]) == [
        "the load ended before the action came due: recycle at 2 s"
    ]
