"""(c) Requests per second over kept TLS connections: our server against uvicorn with h11."""

from typing import Final

from bench import peers, servers
from bench.children import BenchError, run
from bench.outputs import wrk
from bench.procfs import cpu_seconds
from bench.result import Column, Measurement
from bench.setup import Setup

NAME: Final = "requests"
LIMIT: Final = 1.2
CLIENTS: Final = 64
CLAIM: Final = "vaultstorm's requests/s, x uvicorn"


def measure(setup: Setup) -> Measurement:
    """Let the same wrk ask both servers for the same answer, in turns."""
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
    )
    if peers.program("wrk") is None:
        result.notes.append("wrk is not installed: nothing to ask with")
        result.hold(CLAIM, None, LIMIT)
        return result
    with servers.vaultstorm(setup.folder, setup.certificate) as ours:
        answer = servers.answer_of(ours.port)
        with servers.uvicorn(setup.folder, setup.certificate, answer) as theirs:
            copy = servers.answer_of(theirs.port)
            if (copy.body, len(copy.headers)) != (answer.body, len(answer.headers)):
                raise BenchError(f"uvicorn answers {copy}, not {answer}")
            for server in (ours, theirs):
                _round(server, 1)  # what is done once is done before
            for _ in range(rounds):
                result.row("vaultstorm").add(**_round(ours, seconds))
                result.row("uvicorn").add(**_round(theirs, seconds))
    result.row("vaultstorm").note = f"{len(ours.pids)} processes"
    result.hold(CLAIM, result.ratio("vaultstorm"), LIMIT, at_most=False)
    return result


def _round(server: servers.Server, seconds: int) -> dict[str, float]:
    url = f"https://127.0.0.1:{server.port}{servers.PATH}"
    before = cpu_seconds(*server.pids)
    finished = run(["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}s", url], seconds + 30.0)
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
