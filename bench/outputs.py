"""Reads what the load tools print about a run.

None of them says more about a failed request than that there was one: that is why `failed` is a
single number here. Samples of each tool's output stand in the tests.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from bench.children import BenchError


class Run(NamedTuple):
    """What a tool says it did."""

    completed: int
    failed: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Completed requests per second."""
        return self.completed / self.seconds if self.seconds else 0.0


_SECONDS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def wrk(output: str) -> Run:
    """Read wrk: every answer counts as a request, those of 400 and up as failed too."""
    count, number, unit = _find(r"(\d+) requests in ([\d.]+)(us|ms|s|m|h),", output, "wrk")
    errors = re.search(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output
    )
    failed = sum(map(int, errors.groups())) if errors else 0
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    bad = int(refused[1]) if refused else 0
    return Run(int(count) - bad, failed + bad, float(number) * _SECONDS[unit])


def ab(output: str) -> Run:
    """Read ab: its failed requests are among the complete ones."""
    (complete,) = _find(r"Complete requests:\s+(\d+)", output, "ab")
    (failed,) = _find(r"Failed requests:\s+(\d+)", output, "ab")
    (seconds,) = _find(r"Time taken for tests:\s+([\d.]+) seconds", output, "ab")
    refused = re.search(r"Non-2xx responses:\s+(\d+)", output)
    bad = int(failed) + (int(refused[1]) if refused else 0)
    return Run(max(0, int(complete) - bad), bad, float(seconds))


def hey(output: str) -> Run:
    """Read hey: answers by status, errors by their text."""
    (seconds,) = _find(r"Total:\s+([\d.]+) secs", output, "hey")
    answers, _, errors = output.partition("Error distribution:")
    statuses = re.findall(r"^\s*\[(\d{3})\]\s+(\d+) responses", answers, re.MULTILINE)
    good = sum(int(count) for status, count in statuses if int(status) < 400)
    bad = sum(int(count) for status, count in statuses if int(status) >= 400)
    lost = sum(map(int, re.findall(r"^\s*\[(\d+)\]", errors, re.MULTILINE)))
    return Run(good, bad + lost, float(seconds))


def h2load(output: str) -> Run:
    """Read h2load: an answer of 400 and up is one of its failed."""
    number, unit = _find(r"finished in ([\d.]+)(us|ms|s|m|h),", output, "h2load")
    good, failed, errored, late = _find(
        r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", output, "h2load"
    )
    lost = max(int(failed), int(errored) + int(late))
    return Run(int(good), lost, float(number) * _SECONDS[unit])


def vaultstorm(output: str) -> Run:
    """Read the JSON of our own client; its attempts must add up."""
    summary = summary_of(output)
    attempts, good = int(summary["attempts"]), int(summary["ok"])
    if attempts != sum(summary["outcomes"].values()):
        raise BenchError(f"vaultstorm burst: {attempts} attempts are not the sum of the outcomes")
    return Run(good, attempts - good, float(summary["duration_s"]))


def loop(output: str) -> Run:
    """Read one of our own bare loops."""
    try:
        said = json.loads(output)
        return Run(said["completed"], said["failed"], said["seconds"])
    except (ValueError, KeyError, TypeError) as error:
        raise BenchError(f"a bare loop printed no result: {output[-300:]!r}") from error


def locust(output: str) -> Run:
    """Read the JSON of locust: one entry for each name of a request."""
    try:
        entries = json.loads(output)
        begun = min(entry["start_time"] for entry in entries)
        ended = max(entry["last_request_timestamp"] for entry in entries)
        requests = sum(entry["num_requests"] for entry in entries)
        failed = sum(entry["num_failures"] for entry in entries)
    except (ValueError, KeyError, TypeError) as error:
        raise BenchError(f"locust printed no JSON of its requests: {output[-300:]!r}") from error
    return Run(requests - failed, failed, ended - begun)


def summary_of(output: str) -> dict[str, Any]:
    """Give the summary that `burst --json -` prints."""
    try:
        summary = json.loads(output)
    except ValueError as error:
        raise BenchError(f"vaultstorm burst printed no JSON: {output[:200]!r}") from error
    if not isinstance(summary, dict) or "attempts" not in summary:
        raise BenchError("vaultstorm burst: this JSON is no summary")
    return summary


READERS: Final[dict[str, Callable[[str], Run]]] = {
    "wrk": wrk,
    "ab": ab,
    "h2load": h2load,
    "hey": hey,
    "vaultstorm": vaultstorm,
    "epoll loop": loop,
    "uvloop": loop,
    "locust": locust,
}
"""How each tool is read."""


def _find(pattern: str, output: str, tool: str) -> tuple[str, ...]:
    match = re.search(pattern, output)
    if match is None:
        raise BenchError(f"{tool} printed no {pattern!r}: {output[-300:]!r}")
    return match.groups()
