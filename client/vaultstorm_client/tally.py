"""What a burst counts: every attempt once, and how long the phases took."""

from array import array
from collections import Counter
from collections.abc import Callable
from typing import Final

import msgspec
from hdrh.histogram import HdrHistogram

from vaultstorm_client.agent.ledger import VaultCounts
from vaultstorm_client.attempt import Attempt
from vaultstorm_client.outcomes import ByOutcome
from vaultstorm_client.rpc.counts import OperationCounts
from vaultstorm_wire.outcome import is_lost

LATENCIES: Final = ("connect", "tls", "bind", "response", "total")
_HOUR_US: Final = 3_600_000_000
_FOLD_AT: Final = 1 << 18


class Latency:
    """Latencies to three digits, from 1 µs to an hour, in bounded memory.

    Values are kept raw until there are many: the histogram, which is slow to record into, then
    takes equal ones at once.
    """

    def __init__(self) -> None:
        self._raw = array("d")
        self._histogram = HdrHistogram(1, _HOUR_US, 3)

    def record(self, seconds: float) -> None:
        """Note one latency."""
        self._raw.append(seconds)
        if len(self._raw) >= _FOLD_AT:
            self._fold()

    def encode(self) -> bytes:
        """Give all of it as bytes, for `merge` in another process."""
        self._fold()
        return bytes(self._histogram.encode())

    def merge(self, encoded: bytes) -> None:
        """Add what another one encoded."""
        self._fold()
        self._histogram.decode_and_add(encoded)

    def percentiles_ms(self) -> dict[str, float] | None:
        """Give p50, p90, p99, p99.9 and max in milliseconds; None if there is nothing."""
        self._fold()
        if not self._histogram.get_total_count():
            return None
        at = self._histogram.get_value_at_percentile
        names = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99.9": 99.9, "max": 100.0}
        return {name: round(at(percentile) / 1000, 3) for name, percentile in names.items()}

    def _fold(self) -> None:
        for micros, count in Counter(round(value * 1e6) for value in self._raw).items():
            self._histogram.record_value(min(max(micros, 1), _HOUR_US), count)
        self._raw = array("d")


class Counts(ByOutcome):
    """The counters of one process, or of all of them added up.

    Attributes:
        idle_closed: kept connections that the server closed while no request was out: no loss.
        lag: longest time, in seconds, for which the client did not look at its sockets.
        busy: share of its time that the busiest process worked.
        vault: what agents count; all 0 without any.
        rpc: of an ``rpc://`` target, by operation.
    """

    reused: int = 0
    reused_lost: int = 0
    connects: int = 0
    syn_retries: int = 0
    idle_closed: int = 0
    first_syn: float | None = None
    last_syn: float | None = None
    began: float | None = None
    ended: float | None = None
    lag: float = 0.0
    busy: float = 0.0
    saturated: bool = False
    vault: VaultCounts = msgspec.field(default_factory=VaultCounts)
    rpc: dict[str, OperationCounts] = msgspec.field(default_factory=dict)

    def operation(self, name: str) -> OperationCounts:
        """Give the counters of one operation."""
        return self.rpc.setdefault(name, OperationCounts())

    def add(self, other: "Counts") -> None:
        """Add what another process counted."""
        for outcome, count in other.outcomes.items():
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + count
        for name in ("reused", "reused_lost", "connects", "syn_retries", "idle_closed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.vault.add(other.vault)
        for operation, theirs in other.rpc.items():
            self.operation(operation).add(theirs)
        self.first_syn = _either(min, self.first_syn, other.first_syn)
        self.last_syn = _either(max, self.last_syn, other.last_syn)
        self.began = _either(min, self.began, other.began)
        self.ended = _either(max, self.ended, other.ended)
        self.lag = max(self.lag, other.lag)
        self.busy = max(self.busy, other.busy)
        self.saturated = self.saturated or other.saturated


class Tally:
    """Counts attempts as they end."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.latencies = {name: Latency() for name in LATENCIES}

    def count(self, attempt: Attempt, outcome: str, end: float) -> None:
        """Count one attempt.

        Latencies are those of complete answers, `total` from the scheduled time, so that an answer
        the client asked for late is not counted as quick (coordinated omission). What a lost
        attempt waited is in the journal.
        """
        counts = self.counts
        counts.outcomes[outcome] = counts.outcomes.get(outcome, 0) + 1
        if attempt.operation is not None:
            counts.operation(attempt.operation).count(attempt, outcome)
        lost = is_lost(outcome)
        if attempt.nth:
            counts.reused += 1
            counts.reused_lost += lost
        if lost:
            return
        latencies = self.latencies
        if attempt.connect is not None:
            latencies["connect"].record(attempt.connect)
        if attempt.tls is not None:
            latencies["tls"].record(attempt.tls)
        if attempt.bind is not None:
            latencies["bind"].record(attempt.bind)
        if attempt.wait is not None:
            latencies["response"].record(
                (attempt.send or 0.0) + attempt.wait + (attempt.receive or 0.0)
            )
        latencies["total"].record(end - attempt.scheduled)

    def merge(self, counts: Counts, latencies: dict[str, bytes]) -> None:
        """Add what another process tallied."""
        self.counts.add(counts)
        for name, encoded in latencies.items():
            self.latencies[name].merge(encoded)


def _either(
    choose: Callable[[float, float], float], a: float | None, b: float | None
) -> float | None:
    if a is None or b is None:
        return b if a is None else a
    return choose(a, b)
