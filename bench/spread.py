"""(a) How far apart the first and the last SYN of a burst are, by a packet capture for everyone."""

from typing import Final

from bench import peers
from bench.children import PYTHON, BenchError, Child
from bench.outputs import summary_of
from bench.result import Column, Measurement
from bench.setup import Setup
from tests.support.bpf import SYN
from tests.support.capture import Capture, CaptureUnavailable

NAME: Final = "spread"
LIMIT: Final = 1.5
TRIES: Final = {"wrk": 1, "ab": 1}
"""Connections made before the burst: wrk looks whether the address answers (wrk.resolve), ab waits
for a first answer before it opens the others."""

_PATIENCE_S: Final = 30.0


def measure(setup: Setup) -> Measurement:
    """Let each subject open its connections to the same bare listener, in turns."""
    clients, rounds = setup.size(1000, 200), setup.size(5, 1)
    result = Measurement(
        NAME,
        f"{clients:,} connects, first to last SYN as captured on lo (median of {rounds})",
        [Column("ms", "spread ms"), Column("own_ms", "own figure ms"), Column("off", "off by %")],
        reference="bare loop",
    )
    tools = [name for name in peers.CLIENTS if peers.program(name)]
    for _ in range(rounds):
        for subject in ("bare loop", "vaultstorm", *tools):
            captured, own = _burst(subject, clients)
            # Without the right to capture, the two that tell their own figure can be compared.
            spread = own if captured is None else captured
            if spread is not None:
                result.row(subject).add(ms=spread * 1e3)
            if own is not None and captured is not None:
                off = abs(own - captured) / captured * 100
                result.row(subject).add(own_ms=own * 1e3, off=off)
            if captured is None and not result.notes:
                result.notes.append("no packet capture here (root or CAP_NET_RAW): own figures")
    result.hold("vaultstorm's spread, x bare loop", result.ratio("vaultstorm"), LIMIT)
    return result


def _burst(subject: str, clients: int) -> tuple[float | None, float | None]:
    """Give the spread in seconds by the capture, and by the subject itself."""
    answer = ["answer"] if subject == "ab" else []
    with Child([PYTHON, "-m", "bench.acceptor", *answer]) as acceptor:
        port = int(acceptor.line(_PATIENCE_S))
        try:
            with Capture(port, mask=SYN) as capture:
                own = _fire(subject, port, clients, capture)
        except CaptureUnavailable:
            return None, _fire(subject, port, clients, None)
        if capture.statistics().dropped:
            raise BenchError(f"the capture lost packets: {capture}")
        return capture.spread(skip=TRIES.get(subject, 0), count=clients), own


def _fire(subject: str, port: int, clients: int, capture: Capture | None) -> float | None:
    with Child(command(subject, port, clients)) as child:
        own = None
        if subject == "bare loop":
            own = float(child.line(_PATIENCE_S))
        elif subject == "vaultstorm":
            finished = child.finish(_PATIENCE_S)
            try:
                own = summary_of(finished.output)["burst"]["syn_spread_ms"] / 1e3
            except (BenchError, KeyError, TypeError) as error:
                raise BenchError(f"vaultstorm burst: {error!r} {finished.errors}") from error
        wanted = clients + TRIES.get(subject, 0)
        if capture and not capture.wait_for_syns(wanted, _PATIENCE_S):
            raise BenchError(
                f"{subject} opened {len(capture.syns())} of {clients} connections: {child.errors()}"
            )
        return own


def command(subject: str, port: int, clients: int) -> list[str]:
    """Give the command line of one subject."""
    url, count = f"http://127.0.0.1:{port}/", str(clients)
    lines = {
        "bare loop": [PYTHON, "-m", "bench.bare_loop", str(port), count],
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
