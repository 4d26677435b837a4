"""What becomes known of a pool: its moments in the journal, and the entries of the event log."""

import structlog

from vaultstorm_server import clock
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.messages import Note
from vaultstorm_server.w3svc import actions
from vaultstorm_wire.journal import Event

log = structlog.get_logger("W3SVC")


class Chronicle:
    """Writes into the journal of the front process, and into the log.

    Args:
        journal: of the front process.
    """

    def __init__(self, journal: JournalFile) -> None:
        self._journal = journal

    def event(self, name: str, pid: int | None, detail: str | None = None) -> None:
        """Journal a moment."""
        self._journal.append(Event(time=clock.now(), name=name, worker=pid, detail=detail))

    def note(self, note: actions.Note) -> None:
        """Journal and log what the policy notes."""
        pid = note.worker.pid if note.worker is not None else None
        log.info(note.name, pid=pid, detail=note.detail)
        self.event(note.name, pid, note.detail)

    def said(self, pid: int, note: Note) -> None:
        """Journal and log what a worker process notes, at the time that it gives."""
        log.info(note.name, pid=pid, detail=note.detail)
        self._journal.append(Event(time=note.time, name=note.name, worker=pid, detail=note.detail))

    def entry(self, step: actions.Log) -> None:
        """Write an entry of Windows' event log, with its number where one is documented."""
        entry = step.entry
        getattr(log, entry.level)(
            entry.text,
            event_id=entry.event_id,
            source=entry.source,
            pid=entry.worker,
            data=entry.data,
        )
        self._journal.append(
            Event(
                time=clock.now(),
                name="event_log",
                worker=entry.worker,
                event_id=entry.event_id,
                detail=entry.text,
            )
        )
