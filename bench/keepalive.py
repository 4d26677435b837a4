"""Requests per second that a client makes over kept TLS connections, with both cores."""

import contextlib
import os
import shutil
from pathlib import Path
from typing import Final

from bench import locust, nginx, peers
from bench.children import PYTHON, BenchError, Child
from bench.outputs import READERS
from bench.result import Column, Growth, Measurement
from bench.setup import Setup

NAME: Final = "keepalive"
CLIENTS: Final = 64
TO_LOCUST: Final = 2.0
TO_HEY: Final = 0.6
_LONGEST_S: Final = 60.0
_SPAWNING_S: Final = 1
"""What locust's users take to be there; it begins to count after that."""
_ENVIRONMENT: Final = {"locust": {"PYTHONPATH": ""}}
"""It would take our bench/locust.py for itself."""
_ATTEMPT: Final = b'{"record":"attempt",'


def measure(setup: Setup) -> Measurement:
    """Let each client ask the same nginx, in turns; ours writes every attempt down."""
    rounds, seconds = setup.size(3, 1), setup.size(5, 1)
    result = Measurement(
        NAME,
        f"GET over {CLIENTS} kept TLS connections from nginx, {seconds} s a round (median of "
        f"{rounds}); nobody is bound to a core",
        [
            Column("rate", "requests/s", 0),
            Column("cpu_us", "client CPU us/request", 0),
            Column("failed", "failed", 0),
            Column("records", "journal records", 0),
        ],
        reference="locust",
        growth=Growth("kept connections", "requests/s"),
    )
    if peers.program("nginx") is None:
        result.notes.append("nginx is not installed: nothing to ask")
        return result
    there = {"locust": locust.found() is not None, "hey": peers.program("hey") is not None}
    subjects = ["vaultstorm", *(name for name, is_there in there.items() if is_there)]
    result.notes += [f"{name} is missing" for name, is_there in there.items() if not is_there]
    fewer, _, more = setup.sizes(CLIENTS, CLIENTS)
    with nginx.serve(setup.folder, setup.certificate) as server:
        for clients, times in ((CLIENTS, rounds), (fewer, 1), (more, 1)):
            for _ in range(times):
                for subject in subjects:
                    _round(result, setup, subject, server.port, clients, seconds)
    ratio = result.ratio("vaultstorm", "locust")
    result.hold("vaultstorm's requests/s, x locust", ratio, TO_LOCUST, at_most=False)
    ratio = result.ratio("vaultstorm", "hey")
    result.hold("vaultstorm's requests/s, x hey", ratio, TO_HEY, at_most=False)
    return result


def _round(
    result: Measurement, setup: Setup, subject: str, port: int, clients: int, seconds: int
) -> None:
    journal = setup.folder / NAME
    argvs = commands(subject, port, clients, seconds, journal)
    completed, failed, per_second, cpu_s = 0, 0, 0.0, 0.0
    with contextlib.ExitStack() as stack:
        env = _ENVIRONMENT.get(subject)
        for child in [stack.enter_context(Child(argv, env=env)) for argv in argvs]:
            finished = child.finish(seconds + _LONGEST_S)
            if not finished.output:
                raise BenchError(f"{subject} said nothing: {finished.errors}")
            got = READERS[subject](finished.output)
            if not got.completed:
                raise BenchError(f"{subject} completed none: {finished.errors or finished.output}")
            completed, failed = completed + got.completed, failed + got.failed
            per_second, cpu_s = per_second + got.per_second, cpu_s + finished.cpu_s
    assert result.growth is not None
    result.growth.add(subject, clients, per_second)
    if subject == "vaultstorm":
        records = _records(journal)
        if records != completed + failed:
            raise BenchError(f"{records} records of {completed + failed} attempts")
    if clients == CLIENTS:
        row = result.row(subject)
        row.add(rate=per_second, cpu_us=cpu_s / completed * 1e6, failed=failed)
        if subject == "vaultstorm":
            row.add(records=records)


def _records(journal: Path) -> int:
    """Count the attempts in the journal of a round, and delete it."""
    count = 0
    for path in journal.glob("*.ndjson"):
        with path.open("rb") as file:
            count += sum(line.startswith(_ATTEMPT) for line in file)
    shutil.rmtree(journal)
    return count


def commands(subject: str, port: int, clients: int, seconds: int, journal: Path) -> list[list[str]]:
    """Give the command lines of one client, which keep all cores busy together."""
    url, cores = f"https://127.0.0.1:{port}/", len(os.sched_getaffinity(0))
    if subject == "locust":
        binary = locust.found() or "locust"
        shares = [clients // cores + (nth < clients % cores) for nth in range(cores)]
        seconds += _SPAWNING_S
        return [locust.command(binary, url, users, seconds) for users in shares if users]
    if subject == "hey":
        return [["hey", "-c", str(clients), "-z", f"{seconds}s", url]]
    argv = [PYTHON, "-m", "vaultstorm", "burst", url, "--insecure", "--json", "-"]
    argv += ["--clients", str(clients), "--duration", f"{seconds}s"]
    return [[*argv, "--processes", str(cores), "--journal", str(journal)]]
