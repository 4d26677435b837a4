"""The client's one clock: wall time when the process started, plus what CLOCK_MONOTONIC counted."""

import time

_ANCHOR = time.time() - time.monotonic()

monotonic = time.monotonic


def epoch(instant: float) -> float:
    """Say a monotonic instant as seconds since 1970, to the microsecond."""
    return round((_ANCHOR + instant) * 1e6) / 1e6  # a third of what `round(…, 6)` takes
