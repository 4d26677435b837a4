"""Names for files that are not finished, and the removal of those whose process has died.

Each process has a folder of its own and keeps it locked (flock(2)): the kernel lets go of the lock
when the process ends, however it ends, so a lock that can be had means a dead owner. A process id
would not tell: it may be another process's by now, or be one of another container.
"""

import contextlib
import fcntl
import itertools
import os
import threading
from collections.abc import Iterator
from typing import Final

PREFIX: Final = "w3wp-"
"""Of the folders; what is named otherwise is not ours and is left alone."""
_READ_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Scratch:
    """The unfinished files of this process, and those that dead processes left. Thread-safe.

    Its folder is made with the first name asked for: on a full disk, or one that is read only, all
    that needs no name goes on.

    Args:
        directory: of the folders of all processes; it is there.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._folder: str | None = None
        self._descriptor = -1

    def name(self) -> str:
        """Give a path at which nothing stands, and that nobody else gets.

        Raises:
            OSError: the folder cannot be made.
        """
        with self._lock:
            if self._folder is None:
                self._folder = self._make()
            return f"{self._folder}/{next(self._numbers)}"

    def sweep(self) -> None:
        """Remove what dead processes left; what cannot be removed stays and does no harm."""
        with self._alone():
            for name in os.listdir(self._directory):
                if name.startswith(PREFIX):
                    with contextlib.suppress(OSError):
                        _remove_if_dead(f"{self._directory}/{name}")

    def close(self) -> None:
        """Remove the folder of this process, in which nothing is left."""
        with self._lock:
            if self._folder is not None:
                with contextlib.suppress(OSError):
                    os.rmdir(self._folder)
                os.close(self._descriptor)
                self._folder = None

    def _make(self) -> str:
        folder = f"{self._directory}/{PREFIX}{os.getpid()}-{os.urandom(4).hex()}"
        with self._alone():  # or it could be taken for a dead one's before it is locked
            os.mkdir(folder, 0o700)
            self._descriptor = os.open(folder, _READ_DIRECTORY)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        return folder

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep the other processes from making and removing folders until the block ends."""
        descriptor = os.open(self._directory, _READ_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _remove_if_dead(folder: str) -> None:
    descriptor = os.open(folder, _READ_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for name in os.listdir(folder):
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)
    finally:
        os.close(descriptor)
