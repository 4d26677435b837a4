"""A foreign server's own records, brought into the run when it has ended."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from vaultstorm.foreign import placeholders
from vaultstorm.foreign.target import Target
from vaultstorm_wire.errors import VaultstormError


class Mark(NamedTuple):
    """A file as it was at a moment: which one, and how long."""

    inode: int
    size: int


def marks(target: Target, values: Mapping[str, str]) -> dict[Path, Mark]:
    """Say how long the records of a target are before the load.

    A log outlives a run, and the ids of a seed come again in every variant and every run: what
    stands there is of others.
    """
    found = {}
    with suppress(OSError):  # what cannot be read is said in the end
        for path in [*_log(target, values), *_kept(target)]:
            with suppress(FileNotFoundError):
                stat = path.stat()
                found[path] = Mark(stat.st_ino, stat.st_size)
    return found


def collect(target: Target, values: Mapping[str, str], before: Mapping[Path, Mark]) -> list[str]:
    """Bring in the access log and the journals that a target names, and say what could not be.

    Without them the verdicts are unknown: that is no error, and the report says why.

    Args:
        target: the server.
        values: what the placeholders stand for.
        before: how long they were before the load; that much of them is left out.
    """
    said = []
    journal = Path(values["journal"])
    for log in _log(target, values):
        said += _access_log(target, log, journal, before)
    if target.journal is not None:
        said += _journals(target, journal, before)
    return said


def _log(target: Target, values: Mapping[str, str]) -> list[Path]:
    if target.access_log is None:
        return []
    return [Path(placeholders.fill(target.access_log, values))]


def _kept(target: Target) -> Iterator[Path]:
    """Give the journals of workers; what else is there is not theirs."""
    if target.journal is not None:
        yield from sorted(Path(target.journal).glob("worker-*.ndjson"))


def _begin(path: Path, before: Mapping[Path, Mark]) -> int:
    """Give where what is new in a file begins; one that was rotated, or cut, is new."""
    mark = before.get(path)
    if mark is None:
        return 0
    stat = path.stat()
    return mark.size if stat.st_ino == mark.inode and stat.st_size >= mark.size else 0


def _access_log(target: Target, log: Path, journal: Path, before: Mapping[Path, Mark]) -> list[str]:
    from vaultstorm.journal import access_log

    form = target.access_log_format or access_log.DEFAULT
    out = journal / f"worker-log-{log.stem}.ndjson"
    try:
        access_log.convert(log, form, out, _begin(log, before))
    except VaultstormError as error:
        return [str(error)]
    except OSError as error:
        return [f"cannot read the access log {log}: {error.strerror}"]
    return []


def _journals(target: Target, journal: Path, before: Mapping[Path, Mark]) -> list[str]:
    from vaultstorm.journal import access_log

    found = Path(target.journal or "")
    try:
        found.stat()
        paths = list(_kept(target))
        for path in paths:
            with path.open("rb") as source, (journal / path.name).open("wb") as copy:
                access_log.skip(source, _begin(path, before))
                shutil.copyfileobj(source, copy)
    except OSError as error:
        return [f"the journals in {found} cannot be read: {error.strerror}"]
    return [] if paths else [f"there is no journal in {found}"]
