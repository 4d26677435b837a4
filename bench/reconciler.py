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
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "violations": len(violations),
        "summary": found,
    }
    print(msgspec.json.encode(line).decode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
