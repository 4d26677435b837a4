"""What a listener writes into the journal."""

from vaultstorm_server import clock
from vaultstorm_server.journal import JournalFile
from vaultstorm_wire.journal import Event, Pause, TurnedAway


class Chronicle:
    """Journals the life of one listener, with its port in every record.

    Args:
        journal: takes the records.
        port: the listener's.
        style: what a SYN meets in a pause, ``refuse`` or ``drop``.
    """

    __slots__ = ("_journal", "_port", "_style")

    def __init__(self, journal: JournalFile, port: int, style: str) -> None:
        self._journal = journal
        self._port = port
        self._style = style

    def event(self, name: str, detail: str | None = None, time: float | None = None) -> None:
        """Journal a moment; it is the present one unless `time` is given."""
        time = clock.now() if time is None else time
        self._journal.append(Event(time=time, name=name, detail=detail, port=self._port))

    def turned_away(self, peer: str, cause: str) -> None:
        """Journal a connection that was reset."""
        self._journal.append(
            TurnedAway(time=clock.now(), peer=peer, cause=cause, how="reset", port=self._port)
        )

    def pause_began(self, now: float) -> None:
        """Journal the beginning of a pause, whose end a server that is killed does not see."""
        self.event("pause_began", self._style, now)

    def pause_ended(self, began: float, caught: int) -> None:
        """Journal a pause as a whole."""
        self._journal.append(
            Pause(time=began, style=self._style, until=clock.now(), caught=caught, port=self._port)
        )
