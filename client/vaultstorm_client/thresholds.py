"""Conditions on the numbers of a result, such as ``lost > 0``: `--fail-on` and its relatives."""

import operator
import re
from collections.abc import Callable, Mapping
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
_KEY: Final = r"[A-Za-z0-9_./]+"
_CONDITION = re.compile(
    rf"\s*({_KEY}(?:\s*\+\s*{_KEY})*)\s*(>=|<=|==|!=|>|<)\s*(-?[0-9]+(?:\.[0-9]*)?)\s*"
)
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
_COUNTERS: Final = ("outcomes", "causes", "verdicts")
"""Mappings whose members are named by what occurred: one that did not occur counts 0."""


def is_outcome(name: str) -> bool:
    """Tell whether an attempt can end so."""
    return name in NAMES or re.fullmatch(r"ok|http\.\d{3}|rpc\..+", name) is not None


class Vocabulary(NamedTuple):
    """What the conditions of one kind may speak of.

    Attributes:
        where: what messages begin with, such as ``--fail-on``.
        example: any result, to know its numbers by.
        keys: the ones that a message names.
        members: what each counter may count.
        sample: a condition that is right.
        rest: where the other numbers can be seen.
    """

    where: str
    example: Mapping[str, Any]
    keys: tuple[str, ...]
    members: Mapping[str, Callable[[str], bool]]
    sample: str
    rest: str = ""


class Threshold(NamedTuple):
    """A condition such as ``lost>0``; `key` may be several that are added up."""

    key: str
    operator: str
    limit: float

    def __str__(self) -> str:
        return f"{self.key}{self.operator}{self.limit:.15g}"

    def value(self, result: Mapping[str, Any]) -> float | None:
        """Give the number that the condition is about; None if it was not measured."""
        values = [_look_up(result, key) for key in self.key.split("+")]
        known = [value for value in values if value is not None]
        return sum(known) if len(known) == len(values) else None

    def reached(self, result: Mapping[str, Any]) -> bool:
        """Tell whether the condition holds. What was not measured reaches no threshold."""
        value = self.value(result)
        return value is not None and _OPERATORS[self.operator](value, self.limit)


def parse(text: str, result: Mapping[str, Any]) -> Threshold:
    """Read a condition of `--fail-on`.

    Args:
        text: key, operator and number.
        result: any result, to know the keys by.

    Raises:
        UsageError: it is not a condition on a number of the result.
    """
    rest = " and the rest of what --json shows"
    return read(
        text, Vocabulary("--fail-on", result, _KEYS, {"outcomes": is_outcome}, "'lost>0'", rest)
    )


def read(text: str, vocabulary: Vocabulary) -> Threshold:
    """Read a condition.

    Raises:
        UsageError: it is not a condition on a number that `vocabulary` has.
    """
    where, sample = f"{vocabulary.where} {text!r}", vocabulary.sample
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise UsageError(f"{where}: write KEY OPERATOR NUMBER, such as {sample}")
    keys = re.sub(r"\s", "", match[1])
    for key in keys.split("+"):
        try:
            _check(key, vocabulary)
        except KeyError as error:
            raise UsageError(
                f"{where}: the result has no number {key!r}; "
                f"it has {', '.join(vocabulary.keys)}{vocabulary.rest}"
            ) from error
    return Threshold(keys, match[2], float(match[3]))


def _check(key: str, vocabulary: Vocabulary) -> None:
    """Raise KeyError if `vocabulary` has no such number."""
    head, _, rest = key.partition(".")
    counts = vocabulary.members.get(head)
    if counts is not None and not counts(rest):
        raise KeyError(key)
    _look_up(vocabulary.example, key)


def _look_up(result: Mapping[str, Any], key: str) -> float | None:
    """Find a number by its dotted key; an outcome that did not occur counts 0."""
    head, _, rest = key.partition(".")
    if head in _COUNTERS:
        return float(result[head].get(rest, 0))
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
