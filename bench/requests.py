"""Requests per second over kept TLS connections: our server against those written in Python."""

import contextlib
from collections.abc import Mapping
from typing import Final

from bench import peers, servers
from bench.children import BenchError, run
from bench.outputs import wrk
from bench.procfs import cpu_seconds
from bench.result import Column, Growth, Measurement
from bench.setup import Setup

NAME: Final = "requests"
LIMITS: Final = {"uvicorn": 1.4, "hypercorn": 2.0}
CLIENTS: Final = 64


def measure(setup: Setup) -> Measurement:
    """Let the same wrk ask every server for the same answer, in turns."""
    rounds, seconds = setup.size(5, 1), setup.size(4, 1)
    result = Measurement(
        NAME,
        f"GET {servers.PATH} over {CLIENTS} kept TLS connections, wrk, {seconds} s a round "
        f"(median of {rounds})",
        [
            Column("rate", "requests/s", 0),
            Column("cpu_us", "server CPU us/request", 0),
            Column("cores", "server cores", 2),
            Column("failed", "failed", 0),
        ],
        reference="uvicorn",
        growth=Growth("kept connections", "requests/s"),
    )
    if peers.program("wrk") is None:
        result.notes.append("wrk is not installed: nothing to ask with")
    else:
        with contextlib.ExitStack() as stack:
            running = _start(setup, stack, result)
            fewer, _, more = setup.sizes(CLIENTS, CLIENTS)
            for server in running.values():
                _round(server, 1, CLIENTS)  # what is done once is done before
            for clients, times in ((CLIENTS, rounds), (fewer, 1), (more, 1)):
                for _ in range(times):
                    for subject, server in running.items():
                        figures = _round(server, seconds, clients)
                        assert result.growth is not None
                        result.growth.add(subject, clients, figures["rate"])
                        if clients == CLIENTS:
                            result.row(subject).add(**figures)
            result.row("vaultstorm").note = f"{len(running['vaultstorm'].pids)} processes"
    for peer, limit in LIMITS.items():
        claim = f"vaultstorm's requests/s, x {peer}"
        result.hold(claim, result.ratio("vaultstorm", peer), limit, at_most=False)
    return result


def _start(
    setup: Setup, stack: contextlib.ExitStack, result: Measurement
) -> Mapping[str, servers.Server]:
    """Run them all; a peer that does not give our answer is none."""
    ours = stack.enter_context(servers.vaultstorm(setup.folder, setup.certificate))
    answer = servers.answer_of(ours.port)
    running = {"vaultstorm": ours}
    for name, serve in (("uvicorn", servers.uvicorn), ("hypercorn", servers.hypercorn)):
        try:
            theirs = stack.enter_context(serve(setup.folder, setup.certificate, answer))
        except BenchError as error:
            result.notes.append(f"{name} is missing: {error}")
            continue
        copy = servers.answer_of(theirs.port)
        if (copy.body, len(copy.headers)) != (answer.body, len(answer.headers)):
            raise BenchError(f"{name} answers {copy}, not {answer}")
        running[name] = theirs
    return running


def _round(server: servers.Server, seconds: int, clients: int) -> dict[str, float]:
    url = f"https://127.0.0.1:{server.port}{servers.PATH}"
    before = cpu_seconds(*server.pids)
    finished = run(["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", url], seconds + 30.0)
    spent = cpu_seconds(*server.pids) - before
    got = wrk(finished.output)
    if not got.completed:
        raise BenchError(f"wrk completed no request: {finished.output}")
    return {
        "rate": got.per_second,
        "cpu_us": spent / got.completed * 1e6,
        "cores": spent / got.seconds,
        "failed": float(got.failed),
    }
