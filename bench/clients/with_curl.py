"""curl: one process for each thread, which is given all its requests and keeps its connection."""

import itertools
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from bench.clients import load

asked = load.read()


def commands() -> Iterator[list[str]]:
    """Give the command line of each process, every request with a query of its own."""
    options = ["--silent", "--show-error", "--output", "/dev/null", "--request", asked.method]
    options += ["--write-out", "%{exitcode} %{http_code} %{errormsg}\\n"]
    if asked.body is not None:
        options += ["--data-binary", asked.body.decode()]
    if asked.pause:
        options += ["--rate", f"{1 / asked.pause:.0f}/s"]
    if asked.retry:
        options += ["--retry", str(asked.retry)]
    if asked.max_time:
        options += ["--max-time", str(asked.max_time)]
    bounds = [asked.requests * nth // asked.at_once for nth in range(asked.at_once + 1)]
    for before, last in itertools.pairwise(bounds):
        if before < last:
            yield ["curl", *options, f"{asked.url}?n=[{before + 1}-{last}]"]


def output(command: list[str]) -> str:
    """Run a process to its end."""
    ended = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8", check=False
    )
    return ended.stdout


def main() -> int:
    """Run all processes at once, and count what they say."""
    counts = load.Counts()
    with ThreadPoolExecutor(asked.at_once) as threads:
        said = list(threads.map(output, commands()))
    for line in "".join(said).splitlines():
        code, status, *message = line.split(" ", 2)
        if code == "0":
            counts.answered(int(status))
        else:
            counts.error(f"({code}) {' '.join(message)}")
    return counts.end()


load.leave(main())
