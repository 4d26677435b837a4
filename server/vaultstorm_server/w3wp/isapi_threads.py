"""The ISAPI threads: as many methods run at once, and no more (Vault.IsapiThreads)."""

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class IsapiThreads(Generic[T]):
    """Runs calls in the order in which they are given. Threads are started as they are needed.

    Args:
        limit: of threads.
        run: runs one call, and raises nothing.
    """

    def __init__(self, limit: int, run: Callable[[T], None]) -> None:
        self._limit = limit
        self._run = run
        self._calls: queue.SimpleQueue[T | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._pending = 0
        self._threads: list[threading.Thread] = []

    @property
    def free(self) -> bool:
        """Whether a call that is given would run at once."""
        return self._pending < self._limit

    @property
    def running(self) -> int:
        """Calls that are running; at most the limit."""
        return min(self._pending, self._limit)

    def give(self, call: T) -> None:
        """Run a call on the next free thread."""
        with self._lock:
            self._pending += 1
            wanted = len(self._threads) < min(self._pending, self._limit)
        self._calls.put(call)
        if wanted:
            thread = threading.Thread(target=self._serve, name="ISAPI", daemon=True)
            self._threads.append(thread)
            thread.start()

    def join(self) -> None:
        """Wait until every call that was given has run: for ever, if one hangs."""
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            self._run(call)
            with self._lock:
                self._pending -= 1
