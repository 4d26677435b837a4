"""`--fail-on`: conditions on the result that make the exit code 1."""

import operator
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from vaultstorm_wire.errors import UsageError
from vaultstorm_wire.outcome import NAMES

_OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_CONDITION = re.compile(r"\s*([A-Za-z0-9_.]+)\s*(>=|<=|==|!=|>|<)\s*(-?[0-9]+(?:\.[0-9]*)?)\s*")
_KEYS: Final = (
    "attempts",
    "ok",
    "lost",
    "outcomes.OUTCOME",
    "reused.attempts",
    "reused.lost",
    "latency_ms.total.p99",
    "burst.syn_spread_ms",
    "retries.syn",
    "duration_s",
)


class Threshold(NamedTuple):
    """A condition such as ``lost>0``."""

    key: str
    operator: str
    limit: float

    def __str__(self) -> str:
        return f"{self.key}{self.operator}{self.limit:.15g}"

    def reached(self, result: dict[str, Any]) -> bool:
        """Tell whether the condition holds. What was not measured reaches no threshold."""
        value = _look_up(result, self.key)
        return value is not None and _OPERATORS[self.operator](value, self.limit)


def parse(text: str, result: dict[str, Any]) -> Threshold:
    """Read a condition.

    Args:
        text: key, operator and number.
        result: any result, to know the keys by.

    Raises:
        UsageError: it is not a condition on a number of the result.
    """
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise UsageError(f"--fail-on {text!r}: write KEY OPERATOR NUMBER, such as 'lost>0'")
    threshold = Threshold(match[1], match[2], float(match[3]))
    try:
        _look_up(result, threshold.key)
    except KeyError as error:
        raise UsageError(
            f"--fail-on {text!r}: the result has no number {match[1]!r}; "
            f"it has {', '.join(_KEYS)} and the rest of what --json shows"
        ) from error
    return threshold


def _look_up(result: dict[str, Any], key: str) -> float | None:
    """Find a number by its dotted key; an outcome that did not occur counts 0."""
    head, _, rest = key.partition(".")
    if head == "outcomes":
        if not (rest in NAMES or rest == "ok" or re.fullmatch(r"http\.\d{3}|rpc\..+", rest)):
            raise KeyError(key)
        return float(result["outcomes"].get(rest, 0))
    value: Any = result
    if head == "latency_ms":
        name, _, percentile = rest.partition(".")
        if percentile not in ("p50", "p90", "p99", "p99.9", "max"):
            raise KeyError(key)
        measured = result["latency_ms"][name]
        return None if measured is None else float(measured[percentile])
    for part in key.split("."):
        if not isinstance(value, dict):
            raise KeyError(key)
        value = value[part]
    if value is None:
        return None
    if isinstance(value, bool | str) or not isinstance(value, int | float):
        raise KeyError(key)
    return float(value)
