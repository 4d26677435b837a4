"""How many attempts of a running load have ended, read from its journals as they grow."""

from pathlib import Path
from typing import BinaryIO, Final

_PIECE: Final = 1 << 20
"""Bytes that are read at a time; a line is shorter."""
_ATTEMPT: Final = b'{"record":"attempt"'
"""How an attempt's line begins. A journal of agents has other lines too: what the vault has
acknowledged."""


class EndedAttempts:
    """Counts the attempts in the clients' journals in a directory; each line is read once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._read: dict[Path, int] = {}
        self._attempts = 0

    def begun(self) -> bool:
        """Tell whether a client has opened its journal: its clients connect right after."""
        return next(self._directory.glob("client-*.ndjson"), None) is not None

    def count(self) -> int:
        """Give the number of attempts that have been written down."""
        for path in self._directory.glob("client-*.ndjson"):
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                self._read[path] = self._rest(file)
        return self._attempts

    def _rest(self, file: BinaryIO) -> int:
        """Count on to the end of the last whole line, and give where that is."""
        end = file.tell()
        while piece := file.read(_PIECE):
            whole = piece.rfind(b"\n") + 1
            if not whole:
                return end
            self._attempts += piece.count(_ATTEMPT, 0, whole)
            end += whole
            file.seek(end)
        return end
