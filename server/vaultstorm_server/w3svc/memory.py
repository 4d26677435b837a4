"""How much memory a process has, as the operating system tells it."""

import os
from typing import Final, NamedTuple

PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Memory(NamedTuple):
    """Bytes.

    Attributes:
        virtual: of address space: what PeriodicRestartMemory is held against.
        private: resident and shared with no file: what stands for Windows' private bytes, which
            PeriodicRestartPrivateMemory is held against.
    """

    virtual: int
    private: int


def memory(pid: int) -> Memory:
    """Read the memory of a process. Raises OSError if there is no such process."""
    with open(f"/proc/{pid}/statm", "rb") as file:  # proc_pid_statm(5): size, resident, shared
        size, resident, shared = map(int, file.read().split()[:3])
    return Memory(size * PAGE, (resident - shared) * PAGE)
