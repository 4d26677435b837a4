"""A run whose workers end with requests in their hands."""

from pathlib import Path

from tests.lab.report import making


def lives_of(directory: Path, workers: int, lost: int, late: bool = True) -> Path:
    """Make a run in which each worker is told to end at its half, with requests lost around it."""

    def rows(rng: object, attempts: int) -> making.Rows:
        yield making.attempt(0, 0.0, "ok", end=workers * 0.1)
        for n in range(workers):
            moments = {"started": 0.0, "serving": 0.05, "stopping": 0.1, "stopped": 0.12}
            for name, after in moments.items():
                yield making.event(n * 0.1 + after, "front", f"worker_{name}", worker=n + 1)
            yield making.event(n * 0.1 + 0.02, "front", "recycle", worker=n + 1, detail="requests")
            for m in range(lost):
                time = n * 0.1 + 0.1 + (0.001 if late else -0.01) * (m + 1)
                row = {"id": f"{n}-{m}", "connection": 1, "peer": "p", "method": "GET"}
                row |= {"target": "/", "worker": n + 1, "time": time, "cause": "x"}
                yield "request", row

    return making.make(directory, [making.Made("one", "One", rows)])
