"""Association groups: the connections of one client to one server (C706 12.6.2, MS-RPCE 3.3.3)."""

from collections.abc import Iterator


class Groups:
    """The association groups of a server.

    A group lives as long as a connection is in it. Only the machine that made a group may join it
    (MS-RPCE 3.3.1.5.7: the client's IP address tells).
    """

    __slots__ = ("_groups", "_numbers")

    def __init__(self) -> None:
        self._groups: dict[int, tuple[str, int]] = {}
        self._numbers: Iterator[int] = _numbers()

    def __len__(self) -> int:
        return len(self._groups)

    def __repr__(self) -> str:
        return f"<Groups {len(self._groups)}>"

    def join(self, group: int, peer_host: str) -> int | None:
        """Put a connection into a group, a new one for 0.

        Returns:
            The group's number; None where there is no such group of this client's.
        """
        if group == 0:
            group = next(number for number in self._numbers if number not in self._groups)
            self._groups[group] = peer_host, 1
            return group
        host, connections = self._groups.get(group, (None, 0))
        if host != peer_host:
            return None
        self._groups[group] = peer_host, connections + 1
        return group

    def leave(self, group: int) -> bool:
        """Take a connection out of its group.

        Returns:
            Whether it was the last one: the group, and what belongs to it, is gone.

        Raises:
            KeyError: there is no such group.
        """
        host, connections = self._groups[group]
        if connections > 1:
            self._groups[group] = host, connections - 1
            return False
        del self._groups[group]
        return True


def _numbers() -> Iterator[int]:
    """Count through the 32 bits of assoc_group_id for ever, without 0, which asks for a new one."""
    while True:
        yield from range(1, 1 << 32)
