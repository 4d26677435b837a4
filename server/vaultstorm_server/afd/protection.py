"""When SynAttackProtect begins to act, where TcpMaxPortsExhausted has it wait (KB142641)."""


class Protection:
    """Counts the connections that were refused, and acts from `limit` on.

    No source says when it ends: we choose the moment at which nothing waits for the application any
    more; there the count begins again, too.

    Args:
        limit: TcpMaxPortsExhausted; 0 acts from the start.
    """

    __slots__ = ("_limit", "acting", "refused")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.refused = 0
        self.acting = limit == 0

    def refuse(self, count: int) -> bool:
        """Count connections that were refused: True if that is what makes it act."""
        self.refused += count
        return not self.acting and self.refused >= self._limit and self.act()

    def act(self) -> bool:
        """Act, whatever was counted."""
        self.acting = True
        return True

    def emptied(self) -> bool:
        """Begin again with an empty queue: True if it acted and does not any more."""
        acted = self.acting
        self.refused = 0
        self.acting = self._limit == 0
        return acted and not self.acting
