"""What is counted of ``rpc://`` attempts beside what all have: by operation, and where it went."""

from typing import Final

import msgspec

from vaultstorm_client.attempt import Attempt
from vaultstorm_client.outcomes import ByOutcome
from vaultstorm_wire.outcome import OK, hresult_of

ACTIVATION: Final = "activation"
CALL: Final = "call"
OPERATIONS: Final = (ACTIVATION, CALL)
PEERS_MAX: Final = 16
"""Addresses that are remembered: each activation may name another one."""


class OperationCounts(ByOutcome):
    """The counters of one operation.

    Attributes:
        errors: attempts that failed, by the HRESULT that a Windows application shows.
        peers: attempts by the address they went to; the first ones only.
    """

    errors: dict[str, int] = msgspec.field(default_factory=dict)
    peers: dict[str, int] = msgspec.field(default_factory=dict)

    def count(self, attempt: Attempt, outcome: str) -> None:
        """Count one attempt."""
        _count(self.outcomes, outcome, 1)
        if outcome != OK:
            _count(self.errors, hresult_of(outcome, attempt.win32) or outcome, 1)
        if attempt.peer is not None:
            self._note_peer(attempt.peer, 1)

    def add(self, other: "OperationCounts") -> None:
        """Add what another process counted."""
        for outcome, count in other.outcomes.items():
            _count(self.outcomes, outcome, count)
        for hresult, count in other.errors.items():
            _count(self.errors, hresult, count)
        for peer, count in other.peers.items():
            self._note_peer(peer, count)

    def _note_peer(self, peer: str, count: int) -> None:
        if peer in self.peers or len(self.peers) < PEERS_MAX:
            _count(self.peers, peer, count)


def _count(counts: dict[str, int], key: str, count: int) -> None:
    counts[key] = counts.get(key, 0) + count
