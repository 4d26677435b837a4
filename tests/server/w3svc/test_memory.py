"""A process's memory."""

import mmap
import os
import subprocess
import sys

import pytest

from vaultstorm_server.w3svc.memory import memory

SIZE = 64 << 20


def test_what_a_process_has_mapped_is_virtual_and_what_it_wrote_is_private() -> None:
    """64 MiB that nobody touched count for one, and for the other too once they are written."""
    before = memory(os.getpid())
    with mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as pages:
        mapped = memory(os.getpid())
        for offset in range(0, SIZE, mmap.PAGESIZE):
            pages[offset] = 1
        written = memory(os.getpid())
    assert mapped.virtual - before.virtual >= SIZE
    assert mapped.private - before.private < SIZE / 2
    assert written.private - mapped.private >= SIZE / 2


def test_a_process_that_has_ended_has_none() -> None:
    """It is an OSError, for the caller to take as its end."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with pytest.raises(OSError, match="No such"):
        memory(process.pid)
