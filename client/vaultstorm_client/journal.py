"""The client's journal: one line for every attempt, whatever became of it."""

import os
from pathlib import Path

from vaultstorm_client.clock import epoch, monotonic
from vaultstorm_wire import journal
from vaultstorm_wire.errors import MachineError


class JournalFile:
    """Appends to ``DIR/client-PID.ndjson``.

    Raises:
        MachineError: the directory or the file cannot be made, or the disk is full: a burst whose
            attempts cannot be written down is not worth going on with.
    """

    def __init__(self, directory: Path, seed: int) -> None:
        self.path = directory / f"client-{os.getpid()}.ndjson"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab", buffering=0)
        except OSError as error:
            raise self._failed(error) from error
        self._lines = journal.Lines(self._file.write)
        self.append(
            journal.Journal(time=epoch(monotonic()), role="client", pid=os.getpid(), seed=seed)
        )
        self.flush()

    def append(self, record: journal.AnyRecord) -> None:
        """Keep `record` for the next flush."""
        self._lines.append(record)

    def flush(self) -> None:
        """Write what was appended. Raises MachineError if that fails."""
        try:
            self._lines.flush()
        except OSError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Flush and close."""
        self.flush()
        self._file.close()

    def _failed(self, error: OSError) -> MachineError:
        return MachineError(
            f"cannot write the journal {self.path}: {error.strerror}; "
            "name another directory with --journal"
        )
