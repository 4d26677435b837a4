"""How many SYNs the kernel has answered with RST, as far as it tells.

A SYN to a port where nobody listens leaves no trace but the machine's count of RSTs. Of these, the
ones by which programs abort connections have counters of their own (SO_LINGER, unread data: see
tcp_close), and are taken off. What is left beside refused SYNs is rare: segments of connections
that exist no more, and connections that a listener had not accepted when it was closed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

SNMP: Final = Path("/proc/net/snmp")
NETSTAT: Final = Path("/proc/net/netstat")

_ABORTS: Final = ("TCPAbortOnData", "TCPAbortOnClose", "TCPAbortOnLinger", "TCPAbortOnMemory")

Count = Callable[[], int | None]
"""Gives a number that grows by one with each refused SYN; None if it cannot be had."""


class Refusals:
    """The count of the network namespace, as TcpMaxPortsExhausted counts those of the machine.

    Args:
        snmp: has the RSTs.
        netstat: has the aborts.
    """

    def __init__(self, snmp: Path = SNMP, netstat: Path = NETSTAT) -> None:
        self._snmp = snmp
        self._netstat = netstat
        self._rsts = -1
        self._count = 0

    def __call__(self) -> int | None:
        """Read the count; None where the kernel does not give it. Never raises OSError."""
        # The RSTs first: an abort between the two reads makes the count too low, and for once only.
        rsts = counters(self._snmp, "Tcp:").get("OutRsts")
        if rsts is None:
            return None
        if rsts != self._rsts:  # without a new RST the second file, the long one, is not read
            aborts = counters(self._netstat, "TcpExt:")
            if not aborts:
                return None
            self._count = rsts - sum(aborts.get(name, 0) for name in _ABORTS)
            self._rsts = rsts
        return self._count


def counters(file: Path, group: str) -> dict[str, int]:
    """Read a pair of lines of /proc/net, one of names and one of values; empty if it is not there.

    Args:
        file: ``/proc/net/snmp`` or ``/proc/net/netstat``.
        group: what both lines begin with, such as ``Tcp:``.
    """
    try:
        text = file.read_text()
    except OSError:
        return {}
    lines = [line.split()[1:] for line in text.splitlines() if line.startswith(f"{group} ")]
    if len(lines) != 2:
        return {}
    names, values = lines
    return {
        name: int(value)
        for name, value in zip(names, values, strict=False)
        if value.removeprefix("-").isdecimal()
    }
