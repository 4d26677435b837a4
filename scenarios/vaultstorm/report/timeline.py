"""A variant from its first attempt to its last end: what came, how it ended, what was held."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from vaultstorm.events import EVENT_LOG
from vaultstorm.report import kernel, lives, ports, received, words
from vaultstorm.report.kernel import Queue
from vaultstorm.report.lives import Ends, Life
from vaultstorm.report.ports import Held as Port
from vaultstorm.report.ports import Pause, Side

WIDTH: Final = 0.05
"""Seconds in a bin, where the run is short enough."""

POINTS_MAX: Final = 2000
"""Most points in a series: more than a screen has columns."""

LANES_MAX: Final = 8
"""Most outcomes that have a lane of their own."""

NEAR: Final = 0.05
"""How far before the first attempt and after the last end an event is still shown that nobody asked
for, as a share of the time between."""

SOON: Final = 1.0
"""Seconds within which the server's own event is the action that was just asked for."""

_GROWTH: Final = (1, 2, 4, 10, 20, 40)
_FINER: Final = (0.02, 0.01, 0.005, 0.002, 0.001)
BINS_MIN: Final = 100
"""Fewest bins, as far down as 1 ms: what is drawn before it happened is not far off."""

SAME_MAX: Final = 12
"""Most moments with the same words; of more, only the first has a line."""

_LEAST: Final = ("free", "resolver_free", "exporter_free")
"""Of these, the fullest moment is that of the least."""

_KNOWN: Final = ("ready", "stopped", "variant_started", "pause_began", "recycle", *lives.NAMES)


class Series(NamedTuple):
    """How many attempts per bin; bins without any are left out."""

    name: str
    family: str
    """Its colour."""
    bins: tuple[tuple[int, int], ...]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(count for _, count in self.bins)

    @property
    def peak(self) -> int:
        """Most in a bin."""
        return max((count for _, count in self.bins), default=0)


class Held(NamedTuple):
    """What the front process held from a moment on."""

    time: float
    queued: int
    free: int
    waiting: int
    interfaces: int
    """Entries of the vault's interface tables."""
    threads_held: int
    """ISAPI threads that wait for an entry."""
    resolver_queued: int
    resolver_free: int
    exporter_queued: int
    exporter_free: int
    """Of the accept queues of RPC."""


class Mark(NamedTuple):
    """A moment worth a line."""

    time: float
    label: str
    action: bool
    """Whether the runner did it."""


class Timeline(NamedTuple):
    """All of it. Times are seconds since the first attempt was due."""

    zero: float
    span: float
    """From the first attempt to the last end."""
    first: float
    last: float
    width: float
    series: tuple[Series, ...]
    """Arrivals first, then one per outcome."""
    held: tuple[Held, ...]
    pauses: tuple[Pause, ...]
    pauses_count: int
    sides: tuple[Side, ...]
    """The two ports of a DCOM burst; empty for another."""
    lives: tuple[Life, ...]
    ends: Ends | None
    """None if nothing was lost with a worker."""
    recycles: tuple[float, ...]
    """When a worker was to be recycled."""
    marks: tuple[Mark, ...]
    kernel: tuple[Queue, ...] = ()
    """What the kernel held for a foreign server."""


def bin_width(span: float) -> float:
    """Give the seconds in a bin: 50 ms, or the next round width that keeps within both limits."""
    if span < WIDTH * BINS_MIN:
        return next((width for width in _FINER if span >= width * BINS_MIN), _FINER[-1])
    scale = 1
    while True:
        for growth in _GROWTH:
            if span <= WIDTH * growth * scale * POINTS_MAX:
                return WIDTH * growth * scale
        scale *= 100


def build(db: sqlite3.Connection, variant: str) -> Timeline | None:
    """Read the time line of one variant; None if it made no attempt.

    Of a foreign client, that of what its server received.
    """
    zero, until = db.execute(
        'SELECT min(time), max("end") FROM attempt WHERE variant = ?', (variant,)
    ).fetchone()
    others = received.span(db, variant) if zero is None else None
    if others is not None:
        zero, until = others
    if zero is None:
        return None
    marks = _marks(db, variant, zero, until - zero)
    last = max([until - zero, *(mark.time for mark in marks)])
    first = min([0.0, *(mark.time for mark in marks)])
    width = bin_width(last - first)
    rows = db.execute(
        "SELECT time - ?, until - ?, REPLACE(style, 'exhausted', 'refuse'), port FROM pause"
        " WHERE variant = ? ORDER BY time",
        (zero, zero, variant),
    )
    pauses = list(map(Pause._make, rows))
    gap = (last - first) / POINTS_MAX
    held = _held(db, variant, zero, first, last, width)
    return Timeline(
        zero=zero,
        span=until - zero,
        first=first,
        last=last,
        width=width,
        series=_received(db, variant, zero, width) if others else _series(db, variant, zero, width),
        held=held,
        pauses=merged(pauses, gap),
        pauses_count=len(pauses),
        sides=ports.sides(
            ports.numbers(db, variant),
            {
                ports.ACTIVATION: (Port(h.time, h.resolver_queued, h.resolver_free) for h in held),
                ports.CALL: (Port(h.time, h.exporter_queued, h.exporter_free) for h in held),
            },
            pauses,
            lambda several: merged(several, gap),
        ),
        lives=lives.read(db, variant, zero, last - first),
        ends=lives.ends(db, variant),
        recycles=_recycles(db, variant, zero),
        marks=marks,
        kernel=kernel.read(db, variant, zero, first, last),
    )


def merged(pauses: Iterable[Pause], gap: float) -> tuple[Pause, ...]:
    """Join pauses that are too close to be told apart."""
    joined: list[Pause] = []
    for pause in pauses:
        before = joined[-1] if joined else None
        if before and before.style == pause.style and pause.time - before.until <= gap:
            joined[-1] = before._replace(until=max(before.until, pause.until))
        else:
            joined.append(pause)
    return tuple(joined)


def _series(db: sqlite3.Connection, variant: str, zero: float, width: float) -> tuple[Series, ...]:
    arrivals = db.execute(
        "SELECT CAST((time - ?) / ? AS INTEGER) AS bin, count(*) FROM attempt"
        " WHERE variant = ? GROUP BY bin ORDER BY bin",
        (zero, width, variant),
    ).fetchall()
    ended: dict[str, list[tuple[int, int]]] = {}
    for outcome, number, count in db.execute(
        'SELECT outcome, CAST(("end" - ?) / ? AS INTEGER) AS bin, count(*) FROM attempt'
        " WHERE variant = ? GROUP BY outcome, bin ORDER BY outcome, bin",
        (zero, width, variant),
    ):
        ended.setdefault(outcome, []).append((number, count))
    names = sorted(ended, key=words.rank)
    if len(names) > LANES_MAX:
        often = sorted(names, key=lambda name: -sum(count for _, count in ended[name]))
        rest = [name for name in names if name not in often[: LANES_MAX - 1]]
        ended["others"] = _sum(ended[name] for name in rest)
        names = [name for name in names if name not in rest] + ["others"]
    outcomes = (Series(name, words.family(name), tuple(ended[name])) for name in names)
    return (Series("arrivals", "arrivals", tuple(arrivals)), *outcomes)


def _received(
    db: sqlite3.Connection, variant: str, zero: float, width: float
) -> tuple[Series, ...]:
    return tuple(Series(*counted) for counted in received.series(db, variant, zero, width))


def _sum(series: Iterable[list[tuple[int, int]]]) -> list[tuple[int, int]]:
    total: dict[int, int] = {}
    for bins in series:
        for number, count in bins:
            total[number] = total.get(number, 0) + count
    return sorted(total.items())


def _held(
    db: sqlite3.Connection, variant: str, zero: float, first: float, last: float, width: float
) -> tuple[Held, ...]:
    """Read the samples; per bin the fullest moment, where there are too many."""
    rows = db.execute(
        "SELECT time - ?, queued, free, waiting, interfaces, threads_held,"
        " resolver_queued, resolver_free, exporter_queued, exporter_free FROM sample"
        " WHERE variant = ? AND time >= ("
        " SELECT coalesce(max(time), 0) FROM sample WHERE variant = ? AND time <= ?)"
        " AND time <= ? ORDER BY time",
        (zero, variant, variant, zero + first, zero + last),
    ).fetchall()
    if len(rows) <= POINTS_MAX:
        return tuple(Held(max(time, first), *rest) for time, *rest in rows)
    bins: dict[int, Held] = {}
    for time, *rest in rows:
        number = int(max(time, first) // width)
        now = Held(number * width, *rest)
        before = bins.get(number, now)
        most = (max(pair) for pair in zip(before[1:], now[1:], strict=True))
        least = {name: min(getattr(before, name), getattr(now, name)) for name in _LEAST}
        bins[number] = Held(now.time, *most)._replace(**least)
    return tuple(bins.values())


def _recycles(db: sqlite3.Connection, variant: str, zero: float) -> tuple[float, ...]:
    rows = db.execute(
        "SELECT time - ? FROM event WHERE variant = ? AND name = 'recycle' ORDER BY time",
        (zero, variant),
    )
    return tuple(time for (time,) in rows)


def _marks(db: sqlite3.Connection, variant: str, zero: float, last: float) -> tuple[Mark, ...]:
    """Read the moments that are worth a line, and leave out what is far from the attempts."""
    marks: list[Mark] = []
    before = -NEAR * last
    for time, role, name, number, detail in db.execute(
        "SELECT time - ?, role, name, event_id, detail FROM event WHERE variant = ?"
        f" AND name NOT IN ({', '.join('?' * len(_KNOWN))}) ORDER BY time, rowid",
        (zero, variant, *_KNOWN),
    ):
        if name.startswith("Timer_") or (name == EVENT_LOG and number is None):
            continue
        if (name, detail) == ("pool_stopped", "N/A"):  # with the server, and not by itself
            continue
        asked = role == "runner" and name == "action"
        label = (detail or name) if asked else words.mark(name, detail)
        if name == EVENT_LOG:
            label = f"event {number}"
        if asked and time < before:  # else the wait for the load would be most of the chart
            marks.append(Mark(before, f"{label}, {-time:.1f} s before", asked))
        elif asked or before <= time <= last - before:
            marks.append(Mark(time, label, asked))
    return _thinned([mark for mark in marks if not _told(mark, marks)])


def _thinned(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Keep, of too many moments with the same words, the first, which says how many there are."""
    many = {label for label, n in Counter(mark.label for mark in marks).items() if n > SAME_MAX}
    kept: list[Mark] = []
    seen = Counter(mark.label for mark in marks)
    for mark in marks:
        if mark.label not in many:
            kept.append(mark)
        elif seen[mark.label]:
            kept.append(mark._replace(label=f"{mark.label}, first of {seen[mark.label]:,}"))
            seen[mark.label] = 0
    return tuple(kept)


def _told(mark: Mark, marks: Iterable[Mark]) -> bool:
    """Tell whether the server's own event is what the runner has just asked it for."""
    return not mark.action and any(
        other.action and other.label.startswith(mark.label) and abs(other.time - mark.time) < SOON
        for other in marks
    )
