"""What the kernel says about processes and the machine (/proc)."""

import os
import platform
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")


class Memory(NamedTuple):
    """What one process or several hold, in KiB."""

    rss: int
    pss: int
    """RSS with what is shared divided among its holders; 0 if the kernel does not say."""


def memory(*pids: int) -> Memory:
    """Add up the memory of some processes."""
    rss = pss = 0
    for pid in pids:
        rss += _field(Path(f"/proc/{pid}/status"), "VmRSS:")
        try:
            pss += _field(Path(f"/proc/{pid}/smaps_rollup"), "Pss:")
        except OSError:  # another user's, or a kernel before 4.14
            pss += 0
    return Memory(rss, pss)


def cpu_seconds(*pids: int) -> float:
    """Add up the user and system time of some processes."""
    ticks = 0
    for pid in pids:
        # The name, in parentheses, may itself have spaces and parentheses (proc(5)).
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def descendants(pid: int) -> list[int]:
    """Give the children of a process, and theirs; none if it has ended."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(word) for word in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def children_in_state(pid: int, state: str) -> int:
    """Count the children of a process that are in a state of proc_pid_stat(5), such as ``Z``."""
    count = 0
    for child in descendants(pid):
        try:
            stat = Path(f"/proc/{child}/stat").read_text()
        except OSError:  # it has ended meanwhile
            continue
        count += stat.rpartition(")")[2].split()[0] == state
    return count


def descriptors(pid: int) -> int:
    """Count the open descriptors of a process."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def established(port: int) -> int:
    """Count the connections that stand at a port of IPv4 on this machine."""
    local, stands = f":{port:04X}", "01"
    with open("/proc/net/tcp") as table:
        fields = (line.split()[1:4] for line in table)
        return sum(place.endswith(local) and state == stands for place, _, state in fields)


def time_wait() -> int:
    """Count the ports in TIME-WAIT on this machine: they slow down the search for a free one."""
    words = Path("/proc/net/sockstat").read_text().split()
    return int(words[words.index("tw") + 1])


def machine() -> dict[str, str | int]:
    """Tell what a result depends on."""
    info = Path("/proc/cpuinfo").read_text()
    models = [line.partition(":")[2].strip() for line in info.splitlines() if "model name" in line]
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": models[0] if models else platform.machine(),
        "memory_mib": _field(Path("/proc/meminfo"), "MemTotal:") >> 10,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_1min": str(os.getloadavg()[0]),
        "somaxconn": int(Path("/proc/sys/net/core/somaxconn").read_text()),
    }


def _field(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0
