"""What a disk holds when the power fails: the worst that fsync(2) allows.

Bytes are safe after an fsync of their file, names after an fsync of their directory. A name that is
not safe may be there or not; so the bytes under it have to be safe before it is given.
"""

import os
from collections.abc import Callable
from typing import Any


class Disk:
    """Follows the system calls of `step_in`; tells what would survive.

    Attributes:
        hasty: paths that were given to files whose bytes were not safe yet.
    """

    def __init__(self) -> None:
        self._open: dict[int, str] = {}
        self._unsafe: set[str] = set()
        """Paths of files, by their first name, with bytes that are not safe."""
        self._pending: set[str] = set()
        """Names that are not safe."""
        self.hasty: list[str] = []

    def step(self, name: str, arguments: tuple[Any, ...], call: Callable[..., Any]) -> Any:
        """Make the call, then keep the account."""
        result = call(*arguments)
        if name == "open":
            self._open[result] = arguments[0]
            if arguments[1] & os.O_CREAT:
                self._pending.add(arguments[0])
        elif name == "mkdir":
            self._pending.add(str(arguments[0]))
        elif name == "write":
            self._unsafe.add(self._open[arguments[0]])
        elif name == "fsync":
            self._sync(self._open[arguments[0]])
        elif name in ("rename", "link"):
            if arguments[0] in self._unsafe:
                self.hasty.append(arguments[1])
            self._pending.add(arguments[1])
        return result

    def survives(self, path: str) -> bool:
        """Tell whether a path, from the root on, would be there."""
        while path != "/":
            if path in self._pending:
                return False
            path = os.path.dirname(path)
        return True

    def _sync(self, path: str) -> None:
        self._unsafe.discard(path)
        if os.path.isdir(path):
            self._pending = {one for one in self._pending if os.path.dirname(one) != path}
