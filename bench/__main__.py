"""``python -m bench``: all measurements, or those named; see ``--help``."""

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from bench import (
    certificate,
    client_memory,
    connections,
    foreign,
    hang,
    held,
    keepalive,
    kills,
    locust,
    memory,
    pages,
    peers,
    queue,
    reconcile,
    requests,
    retries,
    rpc,
    soak,
    speed,
    spread,
    start,
    vault,
)
from bench.children import BenchError, many_descriptors
from bench.procfs import machine
from bench.result import Measurement, verdicts
from bench.setup import Setup
from bench.table import render

MEASUREMENTS: Final[dict[str, Callable[[Setup], Measurement]]] = {
    module.NAME: module.measure
    for module in (
        *(spread, connections, keepalive, requests, memory, client_memory),
        *(held, queue, start, reconcile, vault, rpc),
        *(soak, kills, hang),
        *(foreign, retries),
    )
}
LONG: Final = (soak.NAME, kills.NAME, hang.NAME, foreign.NAME, retries.NAME)
"""Made only where they are named."""
PAGES: Final = {module.NAME: (module.PAGE, module.markdown) for module in (foreign, retries)}
"""Where the documentation has the figures, and what writes them as they stand there."""
SPEED: Final = tuple(
    module.NAME
    for module in (
        *(spread, connections, keepalive, requests, memory, client_memory),
        *(held, queue, start, reconcile),
    )
)
"""What the page of speed.py has, each with a plot."""
PROMISED: Final = (kills.NAME,)
"""A target of theirs that is missed is a failure."""


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the tables, write the results.

    Returns:
        0, even where a target was missed (the table says so), unless ``--strict`` was asked for or
        the target is promised; 1 if a measurement was broken.
    """
    parser = _parser()
    asked = parser.parse_args(arguments)
    for name in asked.names:
        if name not in MEASUREMENTS:
            parser.error(f"{name!r} is none of {', '.join(MEASUREMENTS)}")
    many_descriptors()
    facts: dict[str, Any] = {**machine(), "missing": _peers(not asked.no_install)}
    results = []
    with tempfile.TemporaryDirectory(prefix="vaultstorm-bench-") as folder, _ended_by_signals():
        setup = Setup(Path(folder), certificate.make(Path(folder)), asked.quick)
        for name in asked.names or [name for name in MEASUREMENTS if name not in LONG]:
            facts["load_1min"] = f"{os.getloadavg()[0]:.2f}"
            result = _measure(name, setup)
            results.append(result)
            print(render(result), flush=True)
            print(f"  written to {_write(result, facts, asked)}\n", flush=True)
            _publish(result, facts, asked.write and not asked.quick)
    print(_closing(results))
    failed = any(result.broken or _missed(result, asked.strict) for result in results)
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASUREMENTS))
    parser.add_argument("--quick", action="store_true", help="a smoke run: small counts, one round")
    parser.add_argument(
        "--no-install", action="store_true", help="do not try apt-get and pip for peers"
    )
    parser.add_argument("--strict", action="store_true", help="exit 1 if a target was missed")
    parser.add_argument("--write", action="store_true", help="put figures into the documentation")
    results = Path("bench", "results")
    parser.add_argument("--out", type=Path, default=results, help="folder (default: %(default)s)")
    return parser


def _peers(may_install: bool) -> list[str]:
    """Install what is missing, once, and name what is missing still."""
    missing = peers.missing()
    reason = peers.install(missing) if may_install else "not asked to"
    missing = peers.missing()
    if missing:
        named = ", ".join(f"{name} (Debian: {peers.PACKAGES[name]})" for name in missing)
        print(f"missing: {named}; not installed: {reason}\n", flush=True)
    if locust.found() is None:
        reason = locust.install() if may_install else "not asked to"
    if locust.found() is None:
        missing.append("locust")
        print(f"missing: locust (PyPI); not installed: {reason}\n", flush=True)
    return missing


def _measure(name: str, setup: Setup) -> Measurement:
    try:
        return MEASUREMENTS[name](setup)
    except (BenchError, OSError) as error:
        return Measurement(name, "", [], broken=str(error))


def _write(result: Measurement, facts: dict[str, Any], asked: argparse.Namespace) -> Path:
    now = time.gmtime()
    asked.out.mkdir(parents=True, exist_ok=True)
    path: Path = asked.out / f"{result.name}-{time.strftime('%Y%m%dT%H%M%SZ', now)}.json"
    document = {
        "schema": 1,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", now),
        "quick": asked.quick,
        "machine": facts,
        "measurement": result,
        "medians": {
            row.subject: {column.key: row.value(column.key) for column in result.columns}
            for row in result.rows
        },
        "verdicts": [verdict._asdict() for verdict in verdicts(result)],
    }
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    return path


def _publish(result: Measurement, facts: dict[str, Any], write: bool) -> None:
    """Print the table that the documentation has of a measurement; put it there if that is asked.

    A table that could not be made, or was made in a smoke run, replaces no other.
    """
    if result.broken is not None:
        return
    if write and result.name in SPEED:
        speed.publish(result, facts)
    if result.name in PAGES:
        page, markdown = PAGES[result.name]
        print(f"{markdown(result)}\n", flush=True)
        if write:
            pages.put(page, result.name, markdown(result))


def _missed(result: Measurement, strict: bool) -> bool:
    """Tell whether a target was missed that had to be reached."""
    return (strict or result.name in PROMISED) and not all(check.passed for check in result.checks)


def _closing(results: list[Measurement]) -> str:
    checks = [check for result in results for check in result.checks]
    reached = sum(check.passed for check in checks)
    broken = [result.name for result in results if result.broken]
    line = f"{reached} of {len(checks)} targets reached"
    return f"{line}; broken: {', '.join(broken)}" if broken else line


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM unwind the stack as Ctrl-C does, so that every child is ended."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
