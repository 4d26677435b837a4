"""How soon the next worker process is started after one that did not come up."""

from typing import Final

DELAY_MIN: Final = 0.1
DELAY_MAX: Final = 5.0


def restart_delay(failures: int) -> float:
    """Give the wait before a start, after so many in a row that never said hello.

    A worker that served is replaced at once; one that cannot start is not started in a tight loop.
    """
    if failures == 0:
        return 0.0
    return min(DELAY_MIN * 2.0 ** min(failures - 1, 16), DELAY_MAX)


class Backoff:
    """Counts the starts of a pool that fail in a row, and says when the next may be made.

    Attributes:
        failures: starts in a row that never came to a hello.
        until: before this time nothing is started; None if a start may be made.
    """

    __slots__ = ("failures", "until")

    def __init__(self) -> None:
        self.failures = 0
        self.until: float | None = None

    def failed(self, now: float) -> None:
        """Count a start that failed, and wait."""
        self.failures += 1
        self.until = now + restart_delay(self.failures)

    def clear(self) -> None:
        """Wait no more: a start has worked, or someone has started the pool anew."""
        self.failures = 0
        self.until = None

    def over(self, now: float) -> bool:
        """Say whether a start may be made."""
        if self.until is not None and self.until <= now:
            self.until = None
        return self.until is None
