"""How long it takes from nothing to a server that answers, and to the first word of help."""

import json
import time
from pathlib import Path
from typing import Final

from bench.children import PYTHON, ROOT, BenchError, Child, free_port, run, wait_until_it_listens
from bench.result import Column, Growth, Measurement
from bench.servers import answer_of
from bench.setup import Setup
from bench.uvicorn_app import ANSWER_FILE

NAME: Final = "start"
SERVE_S: Final = 0.4
HELP_S: Final = 0.15
WORKERS: Final = (1, 3, 10)
SERVE: Final = "serve, {} worker{}"
FIRST: Final = "serve, 1 worker, makes its certificate"
KEPT: Final = "serve, 1 worker, has made its certificate"
"""As who brings none starts it: for the first time, and every other time."""
FLOORS: Final = {
    "floor: python -c pass": "pass",
    "floor: python, what serve needs": (
        "import sys; sys.modules['typing_extensions'] = None; "
        "import asyncio, ssl, h11, msgspec, uvloop"
    ),
}
"""The second without what serve, too, goes without (vaultstorm_server/__init__.py)."""
_LONGEST_S: Final = 60.0


def measure(setup: Setup) -> Measurement:
    """Start everything several times, in turns."""
    rounds = setup.size(21, 1)
    result = Measurement(
        NAME,
        f"from the start of the process, with byte code compiled (median of {rounds})",
        [Column("ms", "ms", 0), Column("least", "least ms", 0), Column("cpu", "CPU ms", 0)],
        growth=Growth("workers", "ms to the ready line"),
    )
    _compile()
    for nth in range(-1, rounds):  # the first one fills the page cache, and does not count
        for subject, argv in _short().items():
            ended, cpu = _run(argv)
            if nth >= 0:
                result.row(subject).add(ms=ended, cpu=cpu)
        for subject, folder in ((FIRST, f"tls-{nth}"), (KEPT, "tls")):
            ready, cpu = _ready(setup, 1, [f"--tls-dir={setup.folder / folder}"])
            if nth >= 0:
                result.row(subject).add(ms=ready, cpu=cpu)
        own = [f"--cert={setup.certificate.chain}", f"--key={setup.certificate.key}"]
        for workers in WORKERS:
            ready, cpu = _ready(setup, workers, own)
            if nth >= 0:
                result.row(_name(workers)).add(ms=ready, cpu=cpu)
                assert result.growth is not None
                result.growth.add("serve", workers, ready)
        if nth >= 0:
            result.row("uvicorn, one process").add(ms=_uvicorn(setup))
    for row in result.rows:
        row.rounds["least"] = [min(row.rounds["ms"])]
    claims = {
        _name(1): ("s from nothing to ready", SERVE_S),
        KEPT: ("s from nothing to ready with the certificate it has made", SERVE_S),
        "--help": ("s of --help", HELP_S),
    }
    for subject, (claim, limit) in claims.items():
        result.hold(claim, (result.row(subject).value("ms") or 0.0) / 1e3, limit)
    result.notes.append("ready: the line that serve prints once it accepts; uvicorn: listens")
    return result


def _compile() -> None:
    """Compile what is not: where no byte code may be written, each start would do it again."""
    folders = [str(Path(ROOT, name)) for name in ("server", "client", "scenarios", "bench")]
    _run([PYTHON, "-m", "compileall", "-q", *folders])


def _name(workers: int) -> str:
    return SERVE.format(workers, "" if workers == 1 else "s")


def _short() -> dict[str, list[str]]:
    """Give what ends by itself."""
    floors = {name: [PYTHON, "-c", code] for name, code in FLOORS.items()}
    return {"--help": [PYTHON, "-m", "vaultstorm", "--help"], **floors}


def _run(argv: list[str]) -> tuple[float, float]:
    begun = time.perf_counter()
    finished = run(argv, _LONGEST_S)
    ended = time.perf_counter() - begun
    if finished.code:
        raise BenchError(f"{argv}: {finished.errors}")
    return ended * 1e3, finished.cpu_s * 1e3


def _ready(setup: Setup, workers: int, tls: list[str]) -> tuple[float, float]:
    """Start a server, which has to answer; `tls` says where its certificate is."""
    argv = [PYTHON, "-m", "vaultstorm", "serve", "--port=0", "--admin-port=0", "--rpc-port=0"]
    argv += [f"--workers={workers}", *tls]
    argv += [f"--set=httpsys.ErrorLoggingDir={setup.folder}"]
    begun = time.perf_counter()
    with Child(argv) as child:
        said = child.line(_LONGEST_S)
        ready = time.perf_counter() - begun
        answer_of(int(json.loads(said)["url"].rpartition(":")[2].rstrip("/")))
        child.end()
        return ready * 1e3, child.cpu_s * 1e3


def _uvicorn(setup: Setup) -> float:
    """Start uvicorn, until it listens."""
    port = free_port()
    argv = [PYTHON, "-m", "uvicorn", "--factory", "bench.uvicorn_app:make", "--http", "h11"]
    argv += ["--loop", "uvloop", "--port", str(port), "--lifespan", "off", "--log-level", "error"]
    argv += ["--ssl-certfile", str(setup.certificate.chain)]
    argv += ["--ssl-keyfile", str(setup.certificate.key)]
    answer = setup.folder / "start.json"
    answer.write_text('{"status": 200, "headers": [], "body": ""}')
    begun = time.perf_counter()
    with Child(argv, env={ANSWER_FILE: str(answer)}) as child:
        wait_until_it_listens(port, child)
        return (time.perf_counter() - begun) * 1e3
