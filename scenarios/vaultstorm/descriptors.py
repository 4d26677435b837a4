"""File descriptors enough for a load, and for the server that it is fired at."""

import resource
from typing import Final

from vaultstorm_client.plan import Plan
from vaultstorm_wire.errors import MachineError

OWN: Final = 200
"""What a process needs beside its connections: journals, libraries, pipes, the control plane."""


def needed(plan: Plan, scheme: str) -> int:
    """Give how many a server needs that holds every connection of a load at once.

    The load itself needs no more. 0 if that is not known before.
    """
    each = 2 if scheme == "rpc" else plan.lanes if plan.agents else 1
    return plan.clients * each + OWN if plan.clients is not None else 0


def provide(wanted: int) -> None:
    """Let this process, and those that it starts from here on, have as many.

    Most systems give a process 1,024 at first, and let it ask for more (getrlimit(2)).

    Raises:
        MachineError: it may not have so many.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise MachineError(
            f"{wanted:,} file descriptors are needed, and a process here may have {hard:,}: raise "
            "the limit (LimitNOFILE of the service, or nofile in /etc/security/limits.conf)"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
