"""A process that reconciles one run and says what that took: ``DIRECTORY VARIANT``."""

import resource
import sys
import time
from pathlib import Path

import msgspec

from vaultstorm.reconcile import existing, reconcile, summarise


def main(directory: Path, variant: str) -> None:
    """Reconcile, and print seconds, memory and what was found as one line of JSON."""
    before = time.perf_counter()
    violations = reconcile(directory, [variant])
    seconds = time.perf_counter() - before
    with existing(directory) as db:
        found = summarise(db, variant)
    line = {
        "seconds": seconds,
        "peak_mib": sum(map(_peak_mib, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))),
        "violations": len(violations),
        "summary": found,
    }
    print(msgspec.json.encode(line).decode())


def _peak_mib(whose: int) -> float:
    """Give the peak of this process, or of the one that it starts; both may be at once."""
    return resource.getrusage(whose).ru_maxrss / 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
