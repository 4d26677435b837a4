"""A watch on the client's own lateness: did this machine keep up with its own burst?"""

from typing import Final

SATURATED: Final = 0.95
"""Share of one second spent working, from which on the client is said to be saturated."""


class LagWatch:
    """Measures how long each turn of the loop kept it from looking at its sockets.

    Attributes:
        worst: the longest turn, in seconds: an event may have been noticed that much later.
        busy: seconds spent in turns.
        saturated: there was a second of which 95 % went into turns.
    """

    __slots__ = ("_window_began", "_window_busy", "busy", "saturated", "worst")

    def __init__(self) -> None:
        self.worst = 0.0
        self.busy = 0.0
        self.saturated = False
        self._window_began = 0.0
        self._window_busy = 0.0

    def turn(self, began: float, ended: float) -> None:
        """Note one turn of the loop."""
        took = ended - began
        self.busy += took
        if took > self.worst:
            self.worst = took
        if began - self._window_began >= 1.0:
            self._window_began, self._window_busy = began, 0.0
        self._window_busy += took
        if self._window_busy >= SATURATED:
            self.saturated = True
