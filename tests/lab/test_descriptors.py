"""Descriptors for a load and its server."""

import subprocess
import sys

import pytest

from tests.support.command import environment
from vaultstorm.descriptors import OWN, needed
from vaultstorm_client.plan import Plan

PROVIDE = """
import resource, sys
from vaultstorm.descriptors import provide
from vaultstorm_wire.errors import MachineError
soft, hard, wanted = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
try:
    provide(wanted)
except MachineError as error:
    print(error)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    "plan, scheme, wanted",
    [
        (Plan(), "https", 100),
        (Plan(), "rpc", 200),
        (Plan(clients=1000), "rpc", 2000),
        (Plan(workload="agent", clients=16, lanes=4), "https", 64),
    ],
)
def test_every_connection_needs_one(plan: Plan, scheme: str, wanted: int) -> None:
    """A thread of a DCOM burst has two, an agent one for each lane."""
    assert needed(plan, scheme) == wanted + OWN


def test_what_is_not_known_needs_none() -> None:
    """How many clients a rate makes, only time tells."""
    assert needed(Plan(clients=None, rate=5.0, duration=1.0), "https") == 0


@pytest.mark.parametrize(
    "soft, hard, wanted, then",
    [
        (256, 512, 0, 256),
        (256, 512, 256, 256),
        (256, 512, 257, 257),
        (256, 512, 512, 512),
        (256, 512, 513, 256),
    ],
)
def test_no_more_than_is_needed_and_may_be_had(
    soft: int, hard: int, wanted: int, then: int
) -> None:
    """What cannot be had is an error that says how it can, and changes nothing."""
    command = [sys.executable, "-c", PROVIDE, str(soft), str(hard), str(wanted)]
    ended = subprocess.run(
        command, env=environment(), capture_output=True, check=True, text=True, timeout=50
    )
    *said, limit = ended.stdout.splitlines()
    assert int(limit) == then
    assert [line.startswith(f"{wanted} file descriptors are needed") for line in said] == (
        [True] if wanted > hard else []
    )
