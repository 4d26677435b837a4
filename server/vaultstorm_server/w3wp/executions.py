"""The journal of a worker: what it is about to keep, and what it has executed."""

import os
import sys
import threading

from vaultstorm_server import clock
from vaultstorm_server.messages import Work
from vaultstorm_wire import journal


class Executions:
    """What the worker has executed, written down at once: a crash hides none that is over.

    One that a crash may cut in two, after its effect and before its record, is written down before
    its effect as well: then nobody takes a missing record for a method that never ran.

    Args:
        directory: of the journals; empty for none.
        pid: of the worker.

    Raises:
        OSError: ``DIRECTORY/worker-PID.ndjson`` cannot be begun.
    """

    def __init__(self, directory: str, pid: int) -> None:
        self._pid = pid
        self._lock = threading.Lock()
        self._running = threading.local()
        self._lines: journal.Lines | None = None
        if directory:
            path = os.path.join(directory, f"worker-{pid}.ndjson")
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            descriptor = os.open(path, flags, 0o644)
            self._lines = journal.Lines(lambda data: os.write(descriptor, data))
            self._write(journal.Journal(time=clock.now(), role="worker", pid=pid))

    def run(self, work: Work) -> None:
        """Note what the calling thread runs from here on."""
        self._running.work = work

    def keeping(self) -> None:
        """Write down that what the calling thread runs is about to change what outlives us."""
        if self._lines is not None:
            work: Work = self._running.work
            self._write(journal.Begun(time=clock.now(), id=work.id, worker=self._pid))

    def executed(self, work: Work, began: float, status: int) -> None:
        """Write one execution down."""
        if self._lines is not None:
            self._write(
                journal.Execution(
                    time=began,
                    id=work.id,
                    worker=self._pid,
                    method=work.method,
                    target=work.target,
                    status=status,
                )
            )

    def _write(self, record: journal.AnyRecord) -> None:
        with self._lock:
            if self._lines is None:
                return
            self._lines.append(record)
            try:
                self._lines.flush()
            except OSError as error:
                said = f"worker {self._pid}: journal incomplete: {error}"
                print(said, file=sys.stderr)  # noqa: T201
                self._lines = None
