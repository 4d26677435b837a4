"""How far apart the first and the last SYN of a burst are, by a packet capture for everyone."""

from pathlib import Path
from typing import Final, NamedTuple

from bench import peers
from bench.children import PYTHON, BenchError, Child
from bench.compiled import compiled
from bench.outputs import summary_of
from bench.procfs import time_wait
from bench.result import Column, Growth, Measurement, Row
from bench.setup import Setup
from tests.support.bpf import SYN
from tests.support.capture import Capture, CaptureUnavailable

NAME: Final = "spread"
LIMIT: Final = 1.15
OFF_PERCENT: Final = 5.0
"""What the client's own clock may differ from the capture."""
FLOOR: Final = "C loop"
OWN: Final = (FLOOR, "Python loop", "vaultstorm")
"""Who tells a figure of their own."""
TRIES: Final = {"wrk": 1, "ab": 1}
"""Connections made before the burst: wrk looks whether the address answers (wrk.resolve), ab waits
for a first answer before it opens the others."""
MOST: Final = 14_000
"""What one address opens at full speed: connect() tries every second port first, 14,116 of 28,232
by default, and beyond that looks at all of them in vain each time (__inet_hash_connect)."""

_PATIENCE_S: Final = 30.0


class Size(NamedTuple):
    """One size of burst, and how often each subject makes it."""

    clients: int
    rounds: int
    tools: int
    """How often the load tools do."""
    target: bool = False


def sizes(setup: Setup) -> list[Size]:
    """Give 1,000 and 10,000 connects, each also at a tenth and at three times the size."""
    if setup.quick:
        return [Size(20, 1, 0), Size(200, 1, 1, True), Size(600, 1, 0)]
    return [
        Size(100, 5, 0),
        Size(1000, 21, 3, True),
        Size(3000, 5, 0),
        Size(10_000, 15, 1, True),
        Size(MOST, 3, 0),
    ]


def measure(setup: Setup) -> Measurement:
    """Let each subject open its connections to the same bare listener, in turns."""
    result = Measurement(
        NAME,
        "first to last SYN of a burst as captured on lo, one process each (medians)",
        [
            Column("ms", "spread ms"),
            Column("ratio", f"x {FLOOR}", 2),
            Column("own_ms", "own figure ms"),
            Column("off", "off by %"),
            Column("us", "us/connect", 2),
        ],
        growth=Growth("connects", "spread, us per connect"),
    )
    floor = compiled("bare_loop", setup.folder)
    if floor is None:
        result.notes.append("no C compiler (cc): the floor is missing")
    result.notes.append(f"{time_wait():,} ports in TIME-WAIT before it began")
    tools = [name for name in peers.CLIENTS if peers.program(name)]
    for size in sizes(setup):
        for nth in range(size.rounds):
            for subject in (*OWN, *(tools if nth < size.tools else [])):
                if subject != FLOOR or floor is not None:
                    _round(result, subject, size.clients, floor)
        _compare(result, size)
    if setup.sizes(10_000, 200)[2] > MOST:
        result.notes.append(
            f"{MOST:,} in the place of 30,000: beyond 14,116 the kernel's search for a free port "
            "costs the loops 250 us a connect (vaultstorm takes a second address then)"
        )
    return result


def _name(subject: str, clients: int) -> str:
    return f"{clients:,}: {subject}"


def _round(result: Measurement, subject: str, clients: int, floor: Path | None) -> None:
    captured, own = _burst(subject, clients, floor)
    # Without the right to capture, those that tell their own figure can be compared.
    spread = own if captured is None else captured
    row = result.row(_name(subject, clients))
    assert result.growth is not None
    if spread is not None:
        row.add(ms=spread * 1e3, us=spread / clients * 1e6)
        result.growth.add(subject, clients, spread / clients * 1e6)
    if own is not None:
        row.add(own_ms=own * 1e3)
    if own is not None and captured:
        row.add(off=abs(own - captured) / captured * 100)
    note = "no packet capture here (root or CAP_NET_RAW): own figures"
    if captured is None and note not in result.notes:
        result.notes.append(note)


def _compare(result: Measurement, size: Size) -> None:
    """Divide by the floor of the same size, and hold what has a target."""
    rows = [row for row in result.rows if row.subject.startswith(_name("", size.clients))]
    floor = _name(FLOOR, size.clients)
    for row in rows:
        ratio = result.ratio(row.subject, floor)
        if ratio is not None:
            row.add(ratio=ratio)
    if size.target:
        ours: Row = result.row(_name("vaultstorm", size.clients))
        claim = f"spread of {size.clients:,} connects, x {FLOOR}"
        result.hold(claim, ours.value("ratio"), LIMIT)
        claim = f"own clock of {size.clients:,} connects, % off the capture"
        result.hold(claim, ours.value("off"), OFF_PERCENT)


def _burst(
    subject: str, clients: int, floor: Path | None = None
) -> tuple[float | None, float | None]:
    """Give the spread in seconds by the capture, and by the subject itself."""
    answer = ["answer"] if subject == "ab" else []
    with Child([PYTHON, "-m", "bench.acceptor", *answer]) as acceptor:
        port = int(acceptor.line(_PATIENCE_S))
        argv = command(subject, port, clients, floor)
        try:
            with Capture(port, mask=SYN) as capture:
                own = _fire(subject, argv, clients, capture)
        except CaptureUnavailable:
            return None, _fire(subject, argv, clients, None)
        if capture.statistics().dropped:
            raise BenchError(f"the capture lost packets: {capture}")
        return capture.spread(skip=TRIES.get(subject, 0), count=clients), own


def _fire(subject: str, argv: list[str], clients: int, capture: Capture | None) -> float | None:
    with Child(argv) as child:
        own = None
        if subject == "vaultstorm":
            finished = child.finish(_PATIENCE_S)
            try:
                own = summary_of(finished.output)["burst"]["syn_spread_ms"] / 1e3
            except (BenchError, KeyError, TypeError) as error:
                raise BenchError(f"vaultstorm burst: {error!r} {finished.errors}") from error
        elif subject in OWN:
            own = float(child.line(_PATIENCE_S))
        wanted = clients + TRIES.get(subject, 0)
        if capture and not capture.wait_for_syns(wanted, _PATIENCE_S):
            raise BenchError(
                f"{subject} opened {len(capture.syns())} of {clients} connections: {child.errors()}"
            )
        return own


def command(subject: str, port: int, clients: int, floor: Path | None = None) -> list[str]:
    """Give the command line of one subject."""
    url, count = f"http://127.0.0.1:{port}/", str(clients)
    lines = {
        FLOOR: [str(floor), str(port), count],
        "Python loop": [PYTHON, "-m", "bench.bare_loop", str(port), count],
        "vaultstorm": [
            *[PYTHON, "-m", "vaultstorm", "burst", f"tcp://127.0.0.1:{port}"],
            *["--clients", count, "--hold", "50ms", "--json", "-"],
        ],
        "wrk": ["wrk", "-t1", f"-c{count}", "-d10s", url],
        "ab": ["ab", "-q", "-r", "-s", "10", "-c", count, "-n", count, url],
        "h2load": ["h2load", "--h1", "-c", count, "-n", count, url],
        "hey": ["hey", "-c", count, "-n", count, "-t", "10", url],
    }
    return lines[subject]
