"""DoCleanUp: the periodic task that releases the entries of the interface table (TECH39579)."""

import threading
from collections.abc import Callable


class DoCleanUp:
    """Runs on a thread of its own, until an exception ends it: nobody starts it again.

    "The C++ exception leads to unfunctional clean up and then to a resource leakage."

    Args:
        period: seconds between two runs; Vault.DoCleanUpPeriod.
        run: one run.
        died: is told the exception that ended it.
    """

    def __init__(
        self, period: float, run: Callable[[], None], died: Callable[[Exception], None]
    ) -> None:
        self._period = period
        self._run = run
        self._died = died
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="DoCleanUp", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether it runs on."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin; the first run is a period later."""
        self._thread.start()

    def end(self) -> None:
        """End it between two runs."""
        self._ended.set()

    def _loop(self) -> None:
        try:
            while not self._ended.wait(self._period):
                self._run()
        except Exception as error:
            import traceback  # only a clean-up that dies needs it: not part of every start

            traceback.print_exc()
            self._died(error)
