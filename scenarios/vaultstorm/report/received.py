"""What came to the server over time, where nobody wrote down the client's side."""

import sqlite3
from typing import Final, NamedTuple

from vaultstorm_wire.outcome import OK

_UNTIL: Final = "MAX(time, COALESCE(dispatched, time), COALESCE(answered, time))"


class Span(NamedTuple):
    """From the client's start to its end, as seconds since 1970."""

    zero: float
    until: float


def span(db: sqlite3.Connection, variant: str) -> Span | None:
    """Find out when a foreign client ran; None if the client was ours."""
    one = {"variant": variant}
    if db.execute("SELECT 1 FROM client WHERE variant = :variant", one).fetchone() is None:
        return None
    began, ended = db.execute(
        """
        SELECT MIN(time) FILTER (WHERE name = 'load_started'),
            MAX(time) FILTER (WHERE name = 'load_finished')
        FROM event WHERE variant = :variant AND role = 'runner'
        """,
        one,
    ).fetchone()
    first, last = db.execute(
        f"SELECT MIN(time), MAX({_UNTIL}) FROM request WHERE variant = :variant", one
    ).fetchone()
    moments = [moment for moment in (began, ended, first, last) if moment is not None]
    return Span(began or min(moments), max(moments)) if moments else None


def series(
    db: sqlite3.Connection, variant: str, zero: float, width: float
) -> list[tuple[str, str, tuple[tuple[int, int], ...]]]:
    """Count by bin: what was received, and how it ended; each with its name and its colour.

    What got no answer stands where it was received: nobody wrote down when it was lost.
    """
    one = {"variant": variant, "zero": zero, "width": width}
    found: dict[tuple[str, str], list[tuple[int, int]]] = {("received", "arrivals"): []}
    for number, times in db.execute(
        "SELECT CAST((time - :zero) / :width AS INTEGER) AS bin, COUNT(*) FROM request"
        " WHERE variant = :variant AND time >= :zero GROUP BY bin ORDER BY bin",
        one,
    ):
        found["received", "arrivals"].append((number, times))
    for status, cause, number, times in db.execute(
        "SELECT status, CASE WHEN status IS NULL THEN cause END,"
        " CAST((COALESCE(answered, time) - :zero) / :width AS INTEGER) AS bin, COUNT(*)"
        " FROM request WHERE variant = :variant AND time >= :zero"
        " GROUP BY 1, 2, 3 ORDER BY status IS NULL, 1, 2, 3",
        one,
    ):
        found.setdefault(_named(status, cause), []).append((number, times))
    away = db.execute(
        "SELECT CAST((time - :zero) / :width AS INTEGER) AS bin, COUNT(*) FROM turned_away"
        " WHERE variant = :variant AND time >= :zero AND cause <> 'stopping'"
        " GROUP BY bin ORDER BY bin",
        one,
    ).fetchall()
    if away:
        found["turned away", "reset"] = away
    return [(name, family, _summed(bins)) for (name, family), bins in found.items()]


def _named(status: int | None, cause: str | None) -> tuple[str, str]:
    if status is None:
        return f"lost: {cause or 'unanswered'}", "closed"
    return (f"http.{status}", "http") if status >= 400 else (f"answered ({OK})", OK)


def _summed(bins: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    total: dict[int, int] = {}
    for number, times in bins:
        total[number] = total.get(number, 0) + times
    return tuple(sorted(total.items()))
