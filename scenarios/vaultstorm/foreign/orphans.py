"""Processes that a program has left without a parent: they become ours, and are ended."""

import ctypes
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_PR_SET_CHILD_SUBREAPER: Final = 36
"""Of prctl(2)."""


@contextmanager
def ended() -> Iterator[None]:
    """End what is left to us when the block ends.

    A daemon leaves its process group and its session, so it can be found by neither. Its parent
    ends, too; then the nearest ancestor is its parent that has said it takes orphans. For a process
    that starts nothing else meanwhile which is to outlive the block: that would be ended, too.
    """
    others = children()
    _take_orphans(True)
    try:
        yield
    finally:
        try:
            while left := children() - others:
                others |= {pid for pid in left if not _end(pid)}
        finally:
            _take_orphans(False)


def children() -> set[int]:
    """Give the pids of our children."""
    return {pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _is_ours(pid)}


def _is_ours(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:  # it has ended meanwhile
        return False
    return int(text.rpartition(")")[2].split()[1]) == os.getpid()  # proc(5): names hold spaces


def _end(pid: int) -> bool:
    """Kill and reap a child; False if it belongs to another user."""
    try:
        os.kill(pid, signal.SIGKILL)
    except PermissionError:
        return False
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)
    return True


def _take_orphans(take: bool) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(take), 0, 0, 0)
