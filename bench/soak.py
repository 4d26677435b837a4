"""(g) The long run of KB908739: hundreds of recycles under full load, and not one request lost.

Not among the measurements that are made by default: it takes a quarter of an hour. `make soak`.
"""

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from bench.children import PYTHON, BenchError, Child, run
from bench.procfs import children_in_state, descriptors, memory
from bench.result import Column, Measurement, Row
from bench.setup import Setup
from vaultstorm.control import ask

NAME: Final = "soak"
CLIENTS: Final = 64
RECYCLES: Final = 500
REQUESTS: Final = 200_000
"""What every course with recycles has at least."""
P99_RATIO: Final = 3.0
GROWTH_KIB: Final = 256
"""What the front process may grow in the second half of a course: 1 KiB a recycle.

A worker that it did not let go of costs 2.3 KiB. In the first half its allocator settles, with and
without recycling.
"""
WORKERS: Final = (1, 2)


class Course(NamedTuple):
    """One server under load."""

    name: str
    workers: int
    settings: tuple[str, ...]
    recycles: bool


COURSES: Final = tuple(
    Course(f"{workers} worker{'s' * (workers > 1)}, {name}", workers, settings, bool(settings))
    for workers in WORKERS
    for name, settings in (
        ("no recycling", ()),
        ("every 500 requests", ("apppool.PeriodicRestartRequests=500",)),
        ("every 250 ms", ("apppool.PeriodicRestartTime=250ms",)),
    )
)


def measure(setup: Setup) -> Measurement:
    """Drive every course, and reconcile what both sides wrote down."""
    seconds = setup.size(20, 3)
    result = Measurement(
        NAME,
        f"{CLIENTS} keep-alive clients at full speed, KB908739 applied, rounds of {seconds} s",
        [
            Column("p99", "p99 ms"),
            Column("rate", "requests/s", 0),
            Column("requests", "requests", 0),
            Column("recycles", "recycles", 0),
            Column("lost", "lost", 0),
            Column("twice", "twice", 0),
            Column("unexplained", "unexpl.", 0),
            Column("zombies", "zombies", 0),
            Column("fds", "fds more", 0),
            Column("grown", "KiB more", 0),
        ],
    )
    for course in COURSES:
        _drive(setup, course, seconds, result)
        print(f"  {course.name}: done", file=sys.stderr, flush=True)
    _hold(result, setup)
    return result


def _drive(setup: Setup, course: Course, seconds: int, result: Measurement) -> None:
    folder = setup.folder / NAME
    home = folder / course.name.replace(",", "").replace(" ", "-")
    journal = home / "journal"
    journal.mkdir(parents=True)
    argv = [PYTHON, "-m", "vaultstorm", "serve", "--port=0", "--admin-port=0", "--no-rpc"]
    argv += ["--backlog=4096", "--hotfix=KB908739"]
    argv += [f"--workers={course.workers}", f"--journal={journal}"]
    argv += [f"--cert={setup.certificate.chain}", f"--key={setup.certificate.key}"]
    for setting in ("afd.MaximumStaticBacklog=65535", *course.settings):
        argv.append(f"--set={setting}")
    row = result.row(course.name)
    with Child(argv) as child:
        ready = json.loads(child.line(60))
        front = int(ready["pid"])
        looks: list[tuple[int, int]] = []
        wanted = (
            (setup.size(RECYCLES, 5), setup.size(REQUESTS, 1000)) if course.recycles else (0, 1)
        )
        recycles = requests = 0
        while recycles < wanted[0] or requests < wanted[1]:
            said = _round(ready["url"], setup, journal, seconds)
            requests += said["attempts"]
            pool = ask(ready["admin"], "GET", "/status", 10)["pool"]
            recycles = pool["starts"] - course.workers
            row.add(p99=said["latency_ms"]["total"]["p99"], rate=said["ok"] / said["duration_s"])
            looks.append((memory(front).rss, _settled(front)))
        zombies = children_in_state(front, "Z")
    row.add(requests=requests, recycles=recycles, zombies=zombies)
    (_, first_fds), (last_rss, last_fds) = looks[0], looks[-1]
    row.add(grown=last_rss - looks[len(looks) // 2][0], fds=last_fds - first_fds)
    row.note = f"{pool['deaths']} deaths" if pool["deaths"] else ""
    _reconcile(folder, home.name, row)


def _settled(front: int) -> int:
    """Count the descriptors of a front process with no more workers than it has to have.

    Recycling goes on when the load has ended, and every worker has two: so the least of a second.
    """
    counts = []
    for _ in range(20):
        counts.append(descriptors(front))
        time.sleep(0.05)
    return min(counts)


def _round(url: str, setup: Setup, journal: Path, seconds: int) -> dict[str, Any]:
    argv = [PYTHON, "-m", "vaultstorm", "burst", url, f"--clients={CLIENTS}", "--insecure"]
    argv += [f"--duration={seconds}s", f"--journal={journal}", "--json=-"]
    finished = run(argv, seconds + 60.0)
    if finished.code not in (0, 1):
        raise BenchError(f"the burst ended with {finished.code}: {finished.errors}")
    said: dict[str, Any] = msgspec.json.decode(finished.output)
    return said


def _reconcile(folder: Path, course: str, row: Row) -> None:
    """Join the records of a course, and delete them: they are hundreds of megabytes."""
    said = msgspec.json.decode(
        run([PYTHON, "-m", "bench.reconciler", str(folder), course], 600).output
    )
    found = said["summary"]
    row.add(lost=found["lost"], unexplained=found["unexplained"] + said["violations"])
    row.add(twice=found["verdicts"]["twice"])
    shutil.rmtree(folder / course)


def _hold(result: Measurement, setup: Setup) -> None:
    for key in ("lost", "twice", "unexplained", "zombies"):
        result.hold(f"{key}, all courses", sum(row.value(key) or 0 for row in result.rows), 0)
    result.hold("descriptors more, at most", max(row.value("fds") or 0 for row in result.rows), 0)
    grown = max(row.value("grown") or 0 for row in result.rows)
    result.hold("KiB more in the second half, at most", grown, GROWTH_KIB)
    recycling = [course for course in COURSES if course.recycles]
    for key, least in (
        ("recycles", setup.size(RECYCLES, 5)),
        ("requests", setup.size(REQUESTS, 1000)),
    ):
        fewest = min(result.row(course.name).value(key) or 0 for course in recycling)
        result.hold(f"{key} of every course that recycles", fewest, least, at_most=False)
    for course in recycling:
        still = next(c.name for c in COURSES if c.workers == course.workers and not c.recycles)
        ratio = result.ratio(course.name, still, "p99")
        result.hold(f"p99, {course.name}, x without", ratio, P99_RATIO)
