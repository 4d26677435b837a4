"""What ends a run before its time: SIGINT, SIGTERM, SIGHUP, or its time limit."""

import signal
import time
from types import FrameType, TracebackType
from typing import Any, Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Cut(Exception):
    """The run is to end, in good order, at once."""


class Watch:
    """Notices that a run has to end; `check` says so at moments that suit the run.

    The first signal is only noted. The second raises KeyboardInterrupt where the run stands, and
    later ones do nothing, so that nothing can keep the run from reaping its processes.

    Args:
        limit: seconds the run may take.

    Attributes:
        interrupted: a signal has come.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._deadline = time.monotonic() + limit
        self._before: dict[signal.Signals, Any] = {}
        self.interrupted = False

    @property
    def reason(self) -> str | None:
        """Why the run has to end; None while it may go on."""
        if self.interrupted:
            return "interrupted"
        if time.monotonic() >= self._deadline:
            return f"the time limit of {self._limit:g} s was reached"
        return None

    @property
    def left(self) -> float:
        """Seconds until the time limit; never below 0."""
        return max(0.0, self._deadline - time.monotonic())

    def check(self) -> None:
        """Raise Cut if the run has to end."""
        reason = self.reason
        if reason is not None:
            raise Cut(reason)

    def __enter__(self) -> "Watch":
        for number in (*_SIGNALS, signal.SIGQUIT):
            if signal.getsignal(number) is signal.SIG_IGN:  # behind nohup, or a shell's &
                self._before[number] = signal.signal(number, _pass_over)
            elif number in _SIGNALS:
                self._before[number] = signal.signal(number, self._signalled)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.interrupted:
            for each in _SIGNALS:
                signal.signal(each, signal.SIG_IGN)
            raise KeyboardInterrupt
        self.interrupted = True


def _pass_over(number: int, frame: FrameType | None) -> None:
    """Ignore a signal without handing that down: the programs that are run have to hear it."""
