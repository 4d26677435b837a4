"""Rapid-fail protection: a pool whose worker processes fail too often is turned off."""

from collections import deque

from vaultstorm_server.settings import AppPool


class RapidFail:
    """Counts failures until there are RapidFailProtectionMaxCrashes within the interval.

    Both ends of the interval belong to it. A fork that fails is not in the documented list of what
    counts (cc787273); neither is a worker process that ends as it was told to.

    Attributes:
        tripped: the pool has to be turned off.
    """

    __slots__ = ("_enabled", "_failures", "_interval", "tripped")

    def __init__(self, settings: AppPool) -> None:
        self._failures: deque[float] = deque()
        self.tripped = False
        self.configure(settings)

    def configure(self, settings: AppPool) -> None:
        """Take other limits; what has failed stays counted, and the next failure is measured."""
        self._enabled = bool(settings.RapidFailProtection)
        self._interval = settings.RapidFailProtectionInterval
        self._failures = deque(self._failures, maxlen=settings.RapidFailProtectionMaxCrashes)

    def failed(self, now: float) -> None:
        """Count a failure."""
        self._failures.append(now)
        while now - self._failures[0] > self._interval:
            self._failures.popleft()
        if self._enabled and len(self._failures) == self._failures.maxlen:
            self.tripped = True

    def clear(self) -> None:
        """Forget all failures."""
        self._failures.clear()
        self.tripped = False

    @property
    def count(self) -> int:
        """Failures that are remembered."""
        return len(self._failures)
