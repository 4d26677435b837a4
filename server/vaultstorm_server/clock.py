"""The server's one clock: wall time when the process started, plus what CLOCK_MONOTONIC counted."""

import time

_ANCHOR = time.time() - time.monotonic()


def now() -> float:
    """Seconds since 1970, never stepping back while the process lives."""
    return _ANCHOR + time.monotonic()
