"""What a scenario expects of a variant: conditions on its summary."""

from collections.abc import Mapping
from typing import Any, Final

from vaultstorm_client.thresholds import Threshold, Vocabulary, is_outcome, read

VERDICTS: Final = ("once", "never", "twice", "unknown")

CAUSES: Final = frozenset(
    {"backlog_full", "stopping", "no_descriptors", "server_died", "server_stopped"}
    | {"server_busy"}
    | {"client", "response"}
    # What HTTPERR can say on Server 2003 (KB820729).
    | {"AppOffline", "AppPoolTimer", "AppShutdown", "QueueFull", "Disabled", "ConnLimit"}
    | {"N/A", "N/I", "Connection_Abandoned_By_AppPool", "Connection_Dropped", "Client_Reset"}
    | {"Connections_Refused", "Timer_AppPool", "Timer_ConnectionIdle", "Timer_HeaderWait"}
    | {"Timer_EntityBody", "Timer_MinBytesPerSecond", "Timer_Response", "BadRequest", "Verb"}
    | {"URL", "Hostname", "Header", "Invalid_CR/LF", "Number", "FieldLength", "RequestLength"}
    | {"URL_Length", "EntityTooLarge", "LengthRequired", "Precondition", "Forbidden"}
    | {"Internal", "Version_N/S"}
)
"""Every cause that a failure can have."""

_LATENCY: Final = dict.fromkeys(("p50", "p90", "p99", "p99.9", "max"), 0.0)
_EXAMPLE: Final[dict[str, Any]] = {
    **dict.fromkeys(("attempts", "ok", "lost", "unexplained", "idle_closed", "duration_s"), 0),
    "outcomes": {},
    "causes": {},
    "verdicts": {},
    "reused": {"attempts": 0, "lost": 0},
    "retries": {"syn": 0},
    "burst": {"connects": 0, "syn_spread_ms": 0.0},
    "latency_ms": dict.fromkeys(("connect", "tls", "response", "total"), _LATENCY),
}
_KEYS: Final = (
    *("attempts", "ok", "lost", "unexplained", "outcomes.OUTCOME", "causes.CAUSE"),
    *(f"verdicts.{verdict}" for verdict in VERDICTS),
    *("reused.attempts", "reused.lost", "retries.syn", "burst.connects", "idle_closed"),
    *("latency_ms.total.p99", "duration_s"),
)
_MEMBERS: Final = {
    "outcomes": is_outcome,
    "causes": CAUSES.__contains__,
    "verdicts": VERDICTS.__contains__,
}


def parse(text: str, where: str) -> Threshold:
    """Read an expectation such as ``causes.backlog_full == 90``.

    Raises:
        UsageError: it is not one; the message begins with `where`.
    """
    return read(text, Vocabulary(where, _EXAMPLE, _KEYS, _MEMBERS, "'lost == 0'"))


def check(text: str, summary: Mapping[str, Any]) -> dict[str, Any]:
    """Hold a summary against an expectation, and say what the actual number is.

    What was not measured is None and meets no expectation.
    """
    condition = parse(text, "expect")
    actual = condition.value(summary)
    whole = actual is not None and actual.is_integer()
    return {
        "check": text,
        "actual": int(actual) if whole and actual is not None else actual,
        "passed": condition.reached(summary),
    }
