"""How long answers took: `total` by percentile, as a curve."""

import math
import sqlite3
from typing import Final, NamedTuple

NINES: Final = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999)
"""The percentiles that the axis names."""

STEP: Final = 0.05
"""How far two points are apart; 1 is ten times fewer attempts beyond."""


class Curve(NamedTuple):
    """The points of one variant.

    Attributes:
        answers: how many attempts got a complete answer.
        ms: `total` at the percentiles ``1 - 10 ** -(n * STEP)``, the slowest answer last.
    """

    answers: int
    ms: tuple[float, ...]


def ranks(answers: int) -> list[int]:
    """Give the ranks, from 0, of the answers that stand at each point of the curve.

    The last point is the first one beyond which there is no answer.
    """
    found: list[int] = []
    while answers and (not found or found[-1] < answers - 1):
        share = 1 - 10 ** (-len(found) * STEP)
        # The p-th percentile is the least value that p of all values do not exceed.
        found.append(max(0, math.ceil(round(share * answers, 9)) - 1))
    return found


def curve(db: sqlite3.Connection, variant: str) -> Curve:
    """Read the curve of one variant: complete answers only, from the scheduled time."""
    rows = db.execute(
        'SELECT "end" - time FROM attempt WHERE variant = ?'
        " AND (outcome = 'ok' OR outcome LIKE 'http.%' OR outcome LIKE 'rpc.%')"
        ' ORDER BY "end" - time',
        (variant,),
    )
    seconds = [row[0] for row in rows]
    return Curve(len(seconds), tuple(round(seconds[n] * 1000, 3) for n in ranks(len(seconds))))
