"""Attempts by outcome, and what follows from them."""

import msgspec

from vaultstorm_wire.outcome import OK, is_lost


class ByOutcome(msgspec.Struct):
    """How many attempts ended how; every attempt has one outcome.

    Attributes:
        outcomes: attempts by outcome; their sum is the number of attempts.
    """

    outcomes: dict[str, int] = msgspec.field(default_factory=dict)

    @property
    def attempts(self) -> int:
        """How many attempts there were."""
        return sum(self.outcomes.values())

    @property
    def lost(self) -> int:
        """How many got no complete answer."""
        return sum(count for outcome, count in self.outcomes.items() if is_lost(outcome))

    @property
    def ok(self) -> int:
        """How many got an answer that is not an error."""
        return self.outcomes.get(OK, 0)
