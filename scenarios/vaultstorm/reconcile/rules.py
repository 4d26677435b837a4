"""Ordered rules over the rows of a table, and the SQL that applies them: the first that holds."""

from collections.abc import Sequence
from typing import Final, NamedTuple

TOLERANCE: Final = 0.1
"""Seconds by which times from two processes may be out of order.

Each clock is the wall time at its process' start plus a monotonic count. The two differ by what the
wall clock was corrected in between (500 ppm at most: adjtimex(2)) and by how long a busy machine
kept a process waiting between its two readings, or between an act and the record of it.
"""


class Rule(NamedTuple):
    """One row of a table of rules."""

    gives: str
    """The result, as an SQL expression over the row."""
    when: str
    """The condition, as an SQL expression over the row."""
    because: str
    """Why this follows from that."""


def case(rules: Sequence[Rule]) -> str:
    """Give the SQL expression for the first rule that holds; NULL if none does."""
    return f"CASE {' '.join(f'WHEN {rule.when} THEN {rule.gives}' for rule in rules)} END"
