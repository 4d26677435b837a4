"""The ISAPI threads: as many methods run at once, and no more (Vault.IsapiThreads)."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class IsapiThreads(Generic[T]):
    """Runs calls in the order in which they are given. Threads are started as they are needed.

    They take the calls as the threads of an I/O completion port take its packets: one thread runs
    call after call, and only when its call is going to wait (`waiting`) another one goes on with
    those that are left. Threads that all want the interpreter at once would cost each call several
    switches between them, and gain nothing.

    Where the machine lets no more of them be started, those that are there go on alone, and without
    any the thread that gives calls runs them; the next call that needs a thread tries again.

    Args:
        limit: of threads.
        run: runs one call, and raises nothing.
        rest: called by a thread that has run what there was, and before one waits.
    """

    def __init__(
        self, limit: int, run: Callable[[T], None], rest: Callable[[], None] = lambda: None
    ) -> None:
        self._limit = self._most = limit
        """Of them can be had, as far as is known."""
        self._run = run
        self._rest = rest
        self._lock = threading.Lock()
        self._over = threading.Condition(self._lock)
        self._calls: deque[T] = deque()
        self._pending = 0
        """Calls that were given and are not over."""
        self._active = 0
        """Threads that run calls, and do not wait."""
        self._idle = 0
        self._turns: SimpleQueue[bool] = SimpleQueue()
        """Wakes idle threads; False ends one."""
        self._threads: list[threading.Thread] = []

    @property
    def free(self) -> bool:
        """Whether a call that is given finds a thread that none of those before it holds."""
        return self._pending < self._most

    @property
    def running(self) -> int:
        """Calls that hold a thread, or are the next to; at most the limit."""
        return min(self._pending, self._limit)

    def give(self, calls: Iterable[T]) -> None:
        """Run calls, in this order."""
        with self._lock:
            before = len(self._calls)
            self._calls.extend(calls)
            self._pending += len(self._calls) - before
        self._go_on()
        if not self._threads:
            with self._lock:
                self._active += 1
                self._idle -= 1  # the caller comes back from its work, and is not to be woken
            self._work()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Let another thread go on with the calls that are left, while this one's call waits."""
        self._rest()
        with self._lock:
            self._active -= 1
        self._go_on()
        try:
            yield
        finally:
            with self._lock:  # for a moment more than one may run, as with a completion port
                self._active += 1

    def join(self) -> None:
        """Wait until every call that was given has run: for ever, if one hangs."""
        with self._lock:
            self._over.wait_for(lambda: not self._pending)
        for _ in self._threads:
            self._turns.put(False)
        for thread in self._threads:
            thread.join()

    def _go_on(self) -> None:
        """Have a thread run what is left, if none does and there is one, or can be."""
        with self._lock:
            if self._active or not self._calls:
                return
            if self._idle > 0:
                self._idle -= 1
                self._turns.put(True)
            elif len(self._threads) == self._limit:
                return  # all wait: the first that has waited long enough goes on
            else:
                thread = threading.Thread(target=self._serve, name="ISAPI", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # EAGAIN of pthread_create(3): RLIMIT_NPROC, pids.max, memory
                    self._most = len(self._threads)
                    return
                self._most = self._limit
                self._threads.append(thread)
            self._active += 1

    def _serve(self) -> None:
        self._work()
        while self._turns.get():
            self._work()

    def _work(self) -> None:
        """Run calls until none is left, or another thread is there to run them as well."""
        while not self._leave():
            while (call := self._next()) is not None:
                self._run(call)
                with self._lock:
                    self._pending -= 1
            self._rest()

    def _next(self) -> T | None:
        with self._lock:
            return self._calls.popleft() if self._calls and self._active == 1 else None

    def _leave(self) -> bool:
        with self._lock:
            if self._calls and self._active == 1:
                return False
            self._active -= 1
            self._idle += 1
            self._over.notify_all()
            return True
