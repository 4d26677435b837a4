"""The ISAPI threads: as many methods run at once, and no more (Vault.IsapiThreads)."""

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class IsapiThreads(Generic[T]):
    """Runs calls in the order in which they are given. Threads are started as they are needed.

    Where the machine lets no more of them be started, those that are there go on alone, and without
    any the thread that gives a call runs it; the next call that needs a thread tries again.

    Args:
        limit: of threads.
        run: runs one call, and raises nothing.
    """

    def __init__(self, limit: int, run: Callable[[T], None]) -> None:
        self._limit = self._most = limit
        """Of them can be had, as far as is known."""
        self._run = run
        self._calls: queue.SimpleQueue[T | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._pending = 0
        self._threads: list[threading.Thread] = []

    @property
    def free(self) -> bool:
        """Whether a call that is given would run at once."""
        return self._pending < self._most

    @property
    def running(self) -> int:
        """Calls that are running; at most the limit."""
        return min(self._pending, self._limit)

    def give(self, call: T) -> None:
        """Run a call on the next free thread."""
        with self._lock:
            self._pending += 1
            wanted = len(self._threads) < min(self._pending, self._limit)
        if wanted:
            self._start()
        if self._threads:
            self._calls.put(call)
        else:
            self._do(call)

    def join(self) -> None:
        """Wait until every call that was given has run: for ever, if one hangs."""
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()

    def _start(self) -> None:
        thread = threading.Thread(target=self._serve, name="ISAPI", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # EAGAIN of pthread_create(3): RLIMIT_NPROC, pids.max, or memory
            self._most = len(self._threads)
        else:
            self._most = self._limit
            self._threads.append(thread)

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            self._do(call)

    def _do(self, call: T) -> None:
        self._run(call)
        with self._lock:
            self._pending -= 1
