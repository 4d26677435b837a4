"""The events that the server's journal can hold: by name, and by number in Windows' event log."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

EVENT_LOG: Final = "event_log"
"""The name of every entry of Windows' event log."""

NUMBERS: Final = frozenset({"1002", "1009", "1010", "1011", "1012", "1013", "2262", "2263"})
"""Of W3SVC (pool disabled; a worker that crashed, hung, talked nonsense, started or ended too
slowly) and of W3SVC-WP (an ISAPI that called itself unhealthy)."""

WORKER_ENDS: Final = ("worker_died", "worker_stopped", "worker_killed", "worker_orphaned")
"""Nobody asked it to; as it was asked to; with the server; let go of, alive."""

TIMERS: Final = frozenset(
    {"Timer_AppPool", "Timer_ConnectionIdle", "Timer_EntityBody", "Timer_HeaderWait"}
    | {"Timer_MinBytesPerSecond", "Timer_Response"}
)
"""What HTTPERR calls the timers of HTTP.SYS on Server 2003 (KB820729)."""

VAULT_CHAIN: Final = (
    *("reentrance", "wrong_release", "released_entry_touched", "clean_up_died"),
    *("table_full", "pool_hung"),
)
"""How the vault comes to hang the pool (TECH39579), step by step; each names its worker."""

CORRUPTION_CRASH: Final = "corruption_crash"
"""Where the chain may end instead: the process dies of the entry that was released."""

HOTFIX_STEP: Final = "hotfix_step"

NAMES: Final = frozenset(
    {"ready", "stopping", "stopped", "killed", "gate_open", "gate_closed", "pause_began"}
    | {"setting_changed", "accept_suspended", "accept_resumed"}
    | {"protection_began", "protection_ended", "exporter_started"}
    | {"worker_kill", "worker_hang", "worker_resume"}
    | {"recycle", "iisreset_began", "iisreset_ended", EVENT_LOG}
    | {"worker_started", "worker_serving", "worker_stopping", *WORKER_ENDS}
    | {*VAULT_CHAIN, CORRUPTION_CRASH}
    | {HOTFIX_STEP, "hotfix_applied", "hotfix_failed"}
    | {"pool_started", "pool_stopped", "pool_disabled", "pool_unavailable"}
    | TIMERS
)

COUNTED: Final = (*sorted(NUMBERS), *sorted(NAMES))
"""What an expectation may count."""


def count(rows: Iterable[tuple[str, int | None, int]]) -> dict[str, int]:
    """Count events by name, and by number those that have one.

    Args:
        rows: name, number, and how many there are of both.
    """
    found: Counter[str] = Counter()
    for name, number, times in rows:
        found[name] += times
        if number is not None:
            found[str(number)] += times
    return dict(sorted(found.items()))
