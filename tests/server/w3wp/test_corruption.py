"""Corrupted memory: now and then a process dies of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from vaultstorm_server.w3wp.corruption import Corruption

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("probability, strikes", [(0.0, 0), (1.0, 100)])
def test_never_and_always(probability: float, strikes: int) -> None:
    """At 0 no touch ends the process, at 1 every touch does."""
    corruption = Corruption(probability, seed=1, number=1)
    assert sum(corruption.strikes() for _ in range(100)) == strikes


def test_the_seed_and_the_number_of_the_worker_decide() -> None:
    """The same worker of the same seed does the same again; its replacement does not."""

    def drawn(seed: int, number: int) -> list[bool]:
        corruption = Corruption(0.5, seed, number)
        return [corruption.strikes() for _ in range(64)]

    assert drawn(1, 1) == drawn(1, 1)
    assert len({tuple(drawn(seed, number)) for seed in (1, 2) for number in (1, 2)}) == 4


CRASH = """
import ctypes, resource
from vaultstorm_server.w3wp.corruption import Corruption
_, most = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
read, prctl = ctypes.string_at, ctypes.CDLL(None).prctl
PR_GET_DUMPABLE = 3
def string_at(where):
    print("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), flush=True)
    read(where)
ctypes.string_at = string_at
Corruption(1, 0, 1).crash()
"""


def test_a_crash_is_a_real_one_and_leaves_no_core(tmp_path: Path) -> None:
    """The kernel ends the process by SIGSEGV; it dumps none, be it to a file or to a program."""
    done = subprocess.run(
        [sys.executable, "-c", CRASH],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT / "server")},
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (-11, b"dumpable 0\n")
    assert not list(tmp_path.iterdir())
