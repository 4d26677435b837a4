"""The RPC call limit of an application: how many of its calls may be in progress at once."""


class CallLimit:
    """Counts the calls of one server process.

    Args:
        limit: RPC_C_LISTEN_MAX_CALLS_DEFAULT unless set otherwise; what comes beyond it is answered
            nca_server_too_busy (KB149555).
    """

    __slots__ = ("ended", "in_progress", "limit", "refused")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.in_progress = 0
        self.ended = 0
        self.refused = 0

    def begin(self) -> bool:
        """Let a call in: False if there is no room, and it is refused."""
        if self.in_progress >= self.limit:
            self.refused += 1
            return False
        self.in_progress += 1
        return True

    def end(self) -> None:
        """Note that a call which was let in is over, whether it is answered or not.

        Raises:
            ValueError: none is in progress.
        """
        if self.in_progress == 0:
            raise ValueError("no call is in progress")
        self.in_progress -= 1
        self.ended += 1

    def __repr__(self) -> str:
        return f"<CallLimit: {self.in_progress} of {self.limit} in progress>"
