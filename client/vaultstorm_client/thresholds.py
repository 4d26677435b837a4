"""Conditions on the numbers of a result, such as ``lost > 0``: `--fail-on` and its relatives."""

import difflib
import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

from vaultstorm_client.rpc.counts import OPERATIONS
from vaultstorm_wire.errors import UsageError
from vaultstorm_wire.outcome import HRESULTS, MESSAGES, NAMES

_OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_KEY: Final = r"[A-Za-z0-9_./]+"
_SUM: Final = rf"{_KEY}(?:\s*\+\s*{_KEY})*"
_OPERATOR: Final = ">=|<=|==|!=|>|<"
_NUMBER: Final = r"-?[0-9]+(?:\.[0-9]*)?"
_CONDITION = re.compile(rf"\s*({_SUM})\s*({_OPERATOR})\s*({_NUMBER})\s*")
_TURNED = re.compile(rf"\s*({_NUMBER})\s*({_OPERATOR})\s*({_SUM})\s*")
_ADDED_NUMBER = re.compile(rf"\+\s*{_NUMBER}(?![\w./])|(?<![\w./]){_NUMBER}\s*\+")
_MIRROR: Final = {">=": "<=", "<=": ">=", ">": "<", "<": ">"}
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
_AGENT_KEYS: Final = ("vault.lost", "vault.corrupt", "vault.snapshots.failed")
_RPC_KEYS: Final = (
    *(f"rpc.{operation}.{name}" for operation in OPERATIONS for name in ("attempts", "ok", "lost")),
    "rpc.call.outcomes.OUTCOME",
    "rpc_errors.HRESULT",
)
_COUNTERS: Final = ("outcomes", "causes", "verdicts", "rpc_errors")
"""Mappings whose members are named by what occurred: one that did not occur counts 0."""
_OPERATIONS_OWN: Final = re.compile(r"rpc\.(\w+)\.(outcomes|errors)\.(.+)")
"""Such mappings of one operation."""

OUTCOMES: Final = ("ok", *NAMES, "http.STATUS", "rpc.STATUS")
"""How an attempt can end, as a message names it."""
CODES: Final = (
    *(f"0x8007{code:04X}" for code in MESSAGES),
    *(f"0x{code:08X}" for code in HRESULTS),
)
"""What a Windows application can show of a failed call."""


def is_number(text: str) -> bool:
    """Tell whether a term is a number, as a condition may have it on its right."""
    return re.fullmatch(_NUMBER, text.strip()) is not None


def is_outcome(name: str) -> bool:
    """Tell whether an attempt can end so."""
    return name in NAMES or re.fullmatch(r"ok|http\.\d{3}|rpc\.0x[0-9a-f]{8}", name) is not None


class Vocabulary(NamedTuple):
    """What the conditions of one kind may speak of.

    Attributes:
        where: what messages begin with, such as ``--fail-on``.
        example: any result, to know its numbers by.
        keys: the ones that a message names.
        members: the names that each counter may count.
        sample: a condition that is right.
        rest: where the other numbers can be seen.
        form: how a condition is written.
    """

    where: str
    example: Mapping[str, Any]
    keys: tuple[str, ...]
    members: Mapping[str, Collection[str]]
    sample: str
    rest: str = ""
    form: str = "KEY OPERATOR NUMBER"


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
    if result["vault"] is None and re.match(r"[^<>=!]*\bvault\.", text):
        raise UsageError(f"--fail-on {text!r}: vault is counted with --workload agent only")
    if result["rpc"] is None and re.match(r"(?:[^<>=!]*\+)?\s*rpc(?:_errors)?\.", text):
        raise UsageError(f"--fail-on {text!r}: that is counted of rpc:// targets only")
    rest = " and the rest of what --json shows"
    keys = _KEYS if result["vault"] is None else (*_KEYS, *_AGENT_KEYS)
    keys = keys if result["rpc"] is None else (*keys, *_RPC_KEYS)
    members = {"outcomes": OUTCOMES, "rpc_errors": CODES}
    return read(text, Vocabulary("--fail-on", result, keys, members, "'lost>0'", rest))


def read(text: str, vocabulary: Vocabulary) -> Threshold:
    """Read a condition.

    Raises:
        UsageError: it is not a condition on a number that `vocabulary` has.
    """
    where = f"{vocabulary.where} {text!r}"
    match = _CONDITION.fullmatch(text)
    if match is None or is_number(match[1]) or _ADDED_NUMBER.search(match[1]):
        raise UsageError(f"{where}: {_right(text, vocabulary)}")
    keys = re.sub(r"\s", "", match[1])
    for key in keys.split("+"):
        try:
            _check(key, vocabulary)
        except KeyError as error:
            meant = _meant(key, vocabulary)
            raise UsageError(f"{where}: there is no number {key!r}; {meant}") from error
    return Threshold(keys, match[2], float(match[3]))


def _right(text: str, vocabulary: Vocabulary) -> str:
    """Say how what is no condition would be one."""
    turned = _TURNED.fullmatch(text)
    if turned is not None and not is_number(turned[3]):
        number, sign, keys = turned.groups()
        return f"the number stands on the right: write '{keys} {_MIRROR.get(sign, sign)} {number}'"
    wrong = "numbers cannot be added, only keys can; " if _ADDED_NUMBER.search(text) else ""
    return f"{wrong}write {vocabulary.form}, such as {vocabulary.sample}"


def _meant(key: str, vocabulary: Vocabulary) -> str:
    """Say which key may have been meant, or which ones there are."""
    head, dot, rest = key.partition(".")
    members = vocabulary.members.get(head)
    if dot and members is not None:
        near = None if rest.isdigit() else _nearest(rest, members)  # no number is near another
        return f"did you mean {head}.{near}?" if near else f"{head} has {', '.join(members)}"
    near = _nearest(key, [*vocabulary.keys, *_paths(vocabulary.example)])
    known = f"there are {', '.join(vocabulary.keys)}{vocabulary.rest}"
    return f"did you mean {near}?" if near else known


def _nearest(word: str, known: Iterable[str]) -> str | None:
    by_fold = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), by_fold, n=1)
    return by_fold[near[0]] if near else None


def _paths(example: Mapping[str, Any]) -> list[str]:
    """List the keys of numbers that are no member of anything."""
    return [key for key, value in example.items() if isinstance(value, int | float)]


def _check(key: str, vocabulary: Vocabulary) -> None:
    """Raise KeyError if `vocabulary` has no such number."""
    head, _, rest = key.partition(".")
    counts = vocabulary.members.get(head)
    known = is_outcome(rest) if head == "outcomes" else counts is None or rest in counts
    own = _OPERATIONS_OWN.fullmatch(key)
    if own is not None and counts is None:
        known = is_outcome(own[3]) if own[2] == "outcomes" else own[3] in CODES
    if not known:
        raise KeyError(key)
    _look_up(vocabulary.example, key)


def _look_up(result: Mapping[str, Any], key: str) -> float | None:
    """Find a number by its dotted key; an outcome that did not occur counts 0."""
    head, _, rest = key.partition(".")
    if head in _COUNTERS:
        return float(result[head].get(rest, 0))
    own = _OPERATIONS_OWN.fullmatch(key)
    if own is not None:
        return float(result["rpc"][own[1]][own[2]].get(own[3], 0))
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
