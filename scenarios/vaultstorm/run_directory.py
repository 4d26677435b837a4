"""The directory of a run: what stands in it, and how it is written."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from vaultstorm_client.clock import epoch, monotonic
from vaultstorm_wire import journal
from vaultstorm_wire.errors import MachineError, UsageError

RUNS: Final = "vaultstorm-runs"
"""Where runs go that are given no directory."""


class RunDirectory:
    """One run's directory.

    Attributes:
        path: it exists, and held nothing before.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, out: Path | None, name: str, now: float) -> "RunDirectory":
        """Make the directory.

        Args:
            out: which one; None for a new one under ``vaultstorm-runs``.
            name: of the scenario.
            now: seconds since 1970.

        Raises:
            UsageError: `out` exists and is not an empty directory: nothing is ever overwritten.
            MachineError: it cannot be made.
        """
        with _writing(out or Path(RUNS)):
            if out is None:
                return cls(_new(name, now))
            if out.exists() and not out.is_dir():
                raise UsageError(f"--out {out}: that is a file; name a directory")
            if out.exists() and any(out.iterdir()):
                raise UsageError(f"--out {out}: it is not empty; name another, or remove it")
            out.mkdir(parents=True, exist_ok=True)
            return cls(out)

    def variant(self, name: str) -> Path:
        """Make the directory of a variant, with that of its journals in it."""
        path = self.path / name
        with _writing(path):
            (path / "journal").mkdir(parents=True)
        return path

    def write(self, name: str, content: bytes) -> None:
        """Write a file. Raises MachineError."""
        path = self.path / name
        with _writing(path):
            path.write_bytes(content)

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write JSON that a person can read. Raises MachineError."""
        self.write(name, f"{json.dumps(content, ensure_ascii=False, indent=2)}\n".encode())


class RunnerJournal:
    """The runner's own journal: what it did to a variant, and when. Raises MachineError."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / f"runner-{os.getpid()}.ndjson"
        with _writing(self._path):
            self._file = self._path.open("ab", buffering=0)
        self._lines = journal.Lines(self._file.write)
        self._append(journal.Journal(time=epoch(monotonic()), role="runner", pid=os.getpid()))

    def event(self, name: str, detail: str | None = None) -> None:
        """Write down that something has happened at this moment."""
        self._append(journal.Event(time=epoch(monotonic()), name=name, detail=detail))

    def kernel(self, queued: int, backlog: int | None, overflows: int) -> None:
        """Write down what the kernel says of a foreign server's port at this moment."""
        now = epoch(monotonic())
        self._append(journal.Kernel(time=now, queued=queued, backlog=backlog, overflows=overflows))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(self, record: journal.AnyRecord) -> None:
        self._lines.append(record)
        with _writing(self._path):
            self._lines.flush()


def has_content(path: Path) -> bool:
    """Tell whether a load that was killed has come to write its result; it opens it before."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def toml(settings: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Write settings as TOML, of which JSON's numbers, texts and lists are a part."""
    lines = []
    for section, keys in settings.items():
        tables = {name: value for name, value in keys.items() if isinstance(value, Mapping)}
        lines.append(f"[{section}]")
        lines += [f"{name} = {json.dumps(keys[name])}" for name in keys if name not in tables]
        for name, table in tables.items():
            lines.append(f"[{section}.{json.dumps(name)}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
        lines.append("")
    return "\n".join(lines).encode()


def _new(name: str, now: float) -> Path:
    stem = f"{name}-{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}"
    runs = Path(RUNS)
    runs.mkdir(exist_ok=True)
    nth = 1
    while True:
        path = runs / (stem if nth == 1 else f"{stem}-{nth}")
        try:
            path.mkdir()
        except FileExistsError:
            nth += 1
        else:
            return path


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MachineError(
            f"cannot write {path}: {error.strerror}; name another directory with --out"
        ) from error
