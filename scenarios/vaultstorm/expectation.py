"""What a scenario expects of a variant: conditions on its summary."""

import operator
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from vaultstorm import events
from vaultstorm_client.rpc.counts import OPERATIONS
from vaultstorm_client.thresholds import CODES, OUTCOMES, Threshold, Vocabulary, read
from vaultstorm_server.configuration import nearest
from vaultstorm_wire.errors import UsageError

VERDICTS: Final = ("once", "never", "twice", "unknown")

CAUSES: Final = frozenset(
    {"backlog_full", "stopping", "no_descriptors", "server_died", "server_stopped"}
    | {"server_busy", "pool_hung", "iisreset"}
    | {"client", "response", "call_limit", "connection_lost", "exporter_gone", "unanswered"}
    # What HTTPERR can say on Server 2003 (KB820729).
    | {"AppOffline", "AppPoolTimer", "AppShutdown", "QueueFull", "Disabled", "ConnLimit"}
    | {"N/A", "N/I", "Connection_Abandoned_By_AppPool", "Connection_Dropped", "Client_Reset"}
    | {"Connections_Refused", *events.TIMERS, "BadRequest", "Verb"}
    | {"URL", "Hostname", "Header", "Invalid_CR/LF", "Number", "FieldLength", "RequestLength"}
    | {"URL_Length", "EntityTooLarge", "LengthRequired", "Precondition", "Forbidden"}
    | {"Internal", "Version_N/S"}
)
"""Every cause that a failure can have."""

_LATENCY: Final = dict.fromkeys(("p50", "p90", "p99", "p99.9", "max"), 0.0)
_KEPT: Final = dict.fromkeys(("blocks", "snapshots", "bytes"), 0)
_VAULT: Final = {
    "agents": 0,
    "snapshots": dict.fromkeys(("begun", "committed", "failed", "cut"), 0),
    **dict.fromkeys(("acknowledged", "verified"), _KEPT),
    **dict.fromkeys(("lost", "corrupt"), 0),
}
"""What burst.json says of agents."""
_COUNTED: Final = ("outcomes", "errors", "causes", "verdicts")
_OPERATION: Final = {
    **dict.fromkeys(("attempts", "ok", "lost"), 0),
    **{name: Counter() for name in _COUNTED},
}
"""What is counted of the activations, and of the calls, of an rpc:// target."""
_CLIENT: Final = {
    **dict.fromkeys(("exit", "signal", "duration_s", "executed_twice", "given_up"), 0),
    "connections": dict.fromkeys(("accepted", "turned_away"), 0),
    "requests": dict.fromkeys(("received", "distinct", "repeated", "answered"), 0),
}
"""What is counted of somebody else's client."""
_EXAMPLE: Final[dict[str, Any]] = {
    **dict.fromkeys(("attempts", "ok", "lost", "unexplained", "idle_closed", "duration_s"), 0),
    "outcomes": {},
    "causes": {},
    "verdicts": {},
    "events": Counter(),
    "reused": {"attempts": 0, "lost": 0},
    "retries": {"syn": 0},
    "burst": {"connects": 0, "syn_spread_ms": 0.0},
    "latency_ms": dict.fromkeys(("connect", "tls", "bind", "response", "total"), _LATENCY),
    "acknowledged": {"blocks": 0, "snapshots": 0, "lost": 0, "changed": 0},
    "interfaces": {"peak": 0},
    "threads_held": {"peak": 0},
    "vault": _VAULT,
    "rpc_errors": Counter(),
    "rpc": dict.fromkeys(OPERATIONS, _OPERATION),
    "client": {**_CLIENT, "causes": Counter()},
}
_KEYS: Final = (
    *("attempts", "ok", "lost", "unexplained", "outcomes.OUTCOME", "causes.CAUSE"),
    *(f"verdicts.{verdict}" for verdict in VERDICTS),
    "events.NAME_OR_NUMBER",
    *("reused.attempts", "reused.lost", "retries.syn", "burst.connects", "idle_closed"),
    *("latency_ms.total.p99", "duration_s", "interfaces.peak", "threads_held.peak"),
    *(f"acknowledged.{name}" for name in ("blocks", "snapshots", "lost", "changed")),
    *("vault.snapshots.committed", "vault.verified.blocks", "vault.lost", "vault.corrupt"),
    *(f"rpc.{operation}.{name}" for operation in OPERATIONS for name in ("attempts", "ok", "lost")),
    *("rpc.call.outcomes.OUTCOME", "rpc.call.errors.HRESULT", "rpc.call.causes.CAUSE"),
    *("rpc.call.verdicts.never", "rpc_errors.HRESULT"),
    *(f"client.{name}" for name in ("exit", "executed_twice", "given_up", "causes.CAUSE")),
    *("client.requests.received", "client.requests.repeated", "client.connections.turned_away"),
)
_MEMBERS: Final = {
    "outcomes": OUTCOMES,
    "causes": sorted(CAUSES),
    "verdicts": VERDICTS,
    "events": events.COUNTED,
    "rpc_errors": CODES,
}
FORM: Final = "KEY OPERATOR NUMBER, or KEY OPERATOR KEY"
"""How a condition is written that may be between two sums."""

_OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_INNER: Final = re.compile(r"((?:rpc\.\w+|client)\.(causes|verdicts)\.([\w./]+))")
_SIDES: Final = re.compile(r"(?P<left>[^<>=!]+)(?P<operator>[<>=!]=|[<>])(?P<right>[^<>=!]+)")


class Comparison(NamedTuple):
    """A condition between two sums, such as ``reused.lost == lost``."""

    left: Threshold
    operator: str
    right: Threshold
    """Its own operator and limit say nothing: a side has the form of a condition."""

    def __str__(self) -> str:
        return f"{self.left.key}{self.operator}{self.right.key}"

    def value(self, summary: Mapping[str, Any]) -> float | None:
        """Give the sum on the left; None if it was not measured."""
        return self.left.value(summary)

    def against(self, summary: Mapping[str, Any]) -> float | None:
        """Give the sum on the right; None if it was not measured."""
        return self.right.value(summary)

    def reached(self, summary: Mapping[str, Any]) -> bool:
        """Tell whether the condition holds. What was not measured meets none."""
        left, right = self.value(summary), self.against(summary)
        known = left is not None and right is not None
        return known and _OPERATORS[self.operator](left or 0.0, right or 0.0)


def parse(text: str, where: str) -> Threshold | Comparison:
    """Read an expectation such as ``causes.backlog_full == 90`` or ``reused.lost == lost``.

    Raises:
        UsageError: it is not one; the message begins with `where`.
    """
    samples = "'lost == 0' or 'reused.lost == lost'"
    read = read_both(text, Vocabulary(where, _EXAMPLE, _KEYS, _MEMBERS, samples, form=FORM))
    for key, kind, name in _INNER.findall(text):
        if name not in _MEMBERS[kind]:
            near = nearest(name, _MEMBERS[kind])
            meant = f"did you mean {near}?" if near else f"it has {', '.join(_MEMBERS[kind])}"
            raise UsageError(f"{where} {text!r}: there is no number {key!r}; {meant}")
    return read


def read_both(text: str, vocabulary: Vocabulary) -> Threshold | Comparison:
    """Read a condition on one sum, or between two.

    Raises:
        UsageError: it is neither, or it is on a number that `vocabulary` does not have.
    """
    sides = _SIDES.fullmatch(text)
    terms = text.split("+") if sides is None else f"{sides['left']}+{sides['right']}".split("+")
    if sides is None or not all(map(_is_key, terms)):
        return read(text, vocabulary)
    left, right = (_sum(sides[side], text, vocabulary) for side in ("left", "right"))
    return Comparison(left, sides["operator"], right)


def check(text: str, summary: Mapping[str, Any]) -> dict[str, Any]:
    """Hold a summary against an expectation, and say what the actual number is.

    What was not measured is None and meets no expectation. Between two sums, `actual` is the one on
    the left and `against` the one on the right.
    """
    condition = parse(text, "expect")
    summary = {
        **summary,
        "events": Counter(summary.get("events", {})),  # what is not there is 0
        "vault": summary.get("vault") or _unmeasured(_VAULT),
        "rpc_errors": Counter(summary.get("rpc_errors") or {}),
        "rpc": _operations(summary.get("rpc")),
        "client": _client(summary.get("client")),
    }
    checked: dict[str, Any] = {"check": text, "actual": _number(condition.value(summary))}
    if isinstance(condition, Comparison):
        checked["against"] = _number(condition.against(summary))
    return {**checked, "passed": condition.reached(summary)}


def _operations(rpc: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give what is counted by operation: of what did not occur 0, and no RPC measures nothing."""
    if rpc is None:
        nothing = {name: None if value == 0 else value for name, value in _OPERATION.items()}
        return dict.fromkeys(OPERATIONS, nothing)
    found = {}
    for operation in OPERATIONS:
        counted = rpc.get(operation, _OPERATION)
        found[operation] = {**counted, **{name: Counter(counted[name]) for name in _COUNTED}}
    return found


def _client(client: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give what is counted of a client that is not ours; of our own nothing of it is."""
    if client is None:
        return {**_unmeasured(_CLIENT), "causes": defaultdict(lambda: None)}
    return {**client, "causes": Counter(client["causes"])}


def _unmeasured(example: Mapping[str, Any]) -> dict[str, Any]:
    """Give the same keys, none of them measured."""
    return {
        key: _unmeasured(value) if isinstance(value, dict) else None
        for key, value in example.items()
    }


def _is_key(term: str) -> bool:
    return re.match(r"\s*[A-Za-z]", term) is not None


def _sum(side: str, text: str, vocabulary: Vocabulary) -> Threshold:
    """Read one side of a comparison; what is wrong is said of the whole."""
    written = f"{side.strip()} == 0"
    try:
        return read(written, vocabulary)
    except UsageError as error:
        raise UsageError(str(error).replace(repr(written), repr(text), 1)) from error


def _number(value: float | None) -> float | int | None:
    return int(value) if value is not None and value.is_integer() else value
