"""One thread at a time for each name; threads with different names do not meet."""

import contextlib
import threading
from collections.abc import Iterator


class Turns:
    """Names that are taken at the moment. Thread-safe; not for a thread that holds the name."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._taken: set[str] = set()

    @contextlib.contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Wait until nobody has this name, and have it until the block ends."""
        with self._condition:
            self._condition.wait_for(lambda: name not in self._taken)
            self._taken.add(name)
        try:
            yield
        finally:
            with self._condition:
                self._taken.remove(name)
                self._condition.notify_all()
