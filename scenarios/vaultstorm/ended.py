"""How many attempts of a running load have ended, read from its journals as they grow."""

from pathlib import Path
from typing import Final

_PIECE: Final = 1 << 20


class EndedAttempts:
    """Counts the lines of the clients' journals in a directory; each byte is read once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._read: dict[Path, int] = {}
        self._lines = 0

    def begun(self) -> bool:
        """Tell whether a client has opened its journal: its clients connect right after."""
        return next(self._directory.glob("client-*.ndjson"), None) is not None

    def count(self) -> int:
        """Give the number of attempts that have been written down."""
        files = list(self._directory.glob("client-*.ndjson"))
        for path in files:
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                while piece := file.read(_PIECE):
                    self._lines += piece.count(b"\n")
                self._read[path] = file.tell()
        opened = sum(1 for path in files if self._read[path])  # each begins with a line of its own
        return self._lines - opened
