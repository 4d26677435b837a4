"""The journal of whatever process asks: one file each, and one write for each record."""

import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from vaultstorm_wire import journal

VARIABLE: Final = "VAULTSTORM_JOURNAL"
"""Names the directory, where no argument does."""

TARGET_MAX: Final = 4096
"""Most characters of a target that are kept, as in the server's own journals."""

_BEGAN: Final = time.time() - time.monotonic()
"""Wall time when the module was loaded: what is added to it never steps back."""


class ProcessFile:
    """Appends to ``DIRECTORY/worker-PID.ndjson``, where PID is the process that appends.

    The file is opened at the first record: a server that forks after it has loaded the application
    gets a file for each of its workers. Threads may share it. What was appended survives the death
    of the process, SIGKILL included: every record is with the kernel before `append` returns.

    A process that cannot write says so once, on stderr, and goes on without records.

    Args:
        directory: made if it is not there.

    Raises:
        OSError: it cannot be made, or nothing can be written in it.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lock = threading.RLock()
        self._fd = -1
        self._pid = 0
        self._failed = False
        os.register_at_fork(after_in_child=self._leave_behind)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            check = directory / f".{os.getpid()}-{threading.get_ident()}"
            os.close(os.open(check, os.O_CREAT | os.O_WRONLY))
            check.unlink()
        except OSError as error:
            text = f"an execution journal cannot be written here: {error.strerror}"
            raise OSError(error.errno, text, str(directory)) from error

    def begun(self, id: str | None) -> None:
        """Write down that a request is about to be given to the application."""
        self._append(journal.Begun(time=_BEGAN + time.monotonic(), id=id, worker=os.getpid()))

    def executed(self, id: str | None, method: str, target: str, status: int) -> None:
        """Write down that the application has said how it answers."""
        self._append(
            journal.Execution(
                time=_BEGAN + time.monotonic(),
                id=id,
                worker=os.getpid(),
                method=method,
                target=target[:TARGET_MAX],
                status=status,
            )
        )

    def _append(self, record: journal.AnyRecord) -> None:
        with self._lock:
            try:
                if self._pid != os.getpid():
                    self._open()
                if not self._failed:
                    self._write(record)
            except (OSError, ValueError) as error:  # ValueError: a text that no UTF-8 can have
                self._fail(error)

    def _write(self, record: journal.AnyRecord) -> None:
        line = journal.encode(record) + b"\n"
        written = os.write(self._fd, line)
        while written < len(line):  # a disk takes what fits, and says why at the next write
            written += os.write(self._fd, line[written:])

    def _open(self) -> None:
        """Open this process' own file; a name that a process before it had is not shared."""
        self._pid = pid = os.getpid()
        self._failed = False
        self._fd = -1
        flags, nth = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND, 1
        while self._fd < 0:
            name = f"worker-{pid}.ndjson" if nth == 1 else f"worker-{pid}-{nth}.ndjson"
            try:
                self._fd = os.open(self.directory / name, flags, 0o666)
            except FileExistsError:
                nth += 1
        self._write(journal.Journal(time=_BEGAN + time.monotonic(), role="worker", pid=pid))

    def _fail(self, error: Exception) -> None:
        """Stop writing, and leave the last line cut off: whoever reads it knows that more is gone.

        Without its end the last record is no evidence any more; that costs a verdict, and a journal
        that looks whole would give wrong ones.
        """
        self._failed = True
        with suppress(OSError):
            end = os.fstat(self._fd).st_size if self._fd >= 0 else 0
            if end and os.pread(self._fd, 1, end - 1) == b"\n":
                os.ftruncate(self._fd, end - 1)
        with suppress(AttributeError, OSError, ValueError):  # a server may have closed its stderr
            sys.stderr.write(
                f"vaultstorm.journal: no more records of process {self._pid} in {self.directory}: "
                f"{getattr(error, 'strerror', None) or error}\n"
            )

    def _leave_behind(self) -> None:
        """After a fork, do not wait for a thread that was left with the parent."""
        self._lock = threading.RLock()


_files: dict[Path, ProcessFile] = {}
_files_lock = threading.Lock()


def find(directory: str | os.PathLike[str] | None) -> ProcessFile | None:
    """Give the file for a directory, the same for all who ask; None if nobody names a directory.

    Args:
        directory: None for that in $VAULTSTORM_JOURNAL.

    Raises:
        OSError: nothing can be written there.
    """
    named = directory or os.environ.get(VARIABLE)
    if not named:
        return None
    path = Path(named).absolute()
    with _files_lock:
        if path not in _files:
            _files[path] = ProcessFile(path)
        return _files[path]
