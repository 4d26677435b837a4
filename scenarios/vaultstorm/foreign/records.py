"""A foreign server's own records, brought into the run when it has ended."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from vaultstorm.foreign import placeholders
from vaultstorm.foreign.target import Target
from vaultstorm_wire.errors import VaultstormError


def collect(target: Target, values: Mapping[str, str]) -> list[str]:
    """Bring in the access log and the journals that a target names, and say what could not be.

    Without them the verdicts are unknown: that is no error, and the report says why.
    """
    said = []
    journal = Path(values["journal"])
    if target.access_log is not None:
        said += _access_log(target, Path(placeholders.fill(target.access_log, values)), journal)
    if target.journal is not None:
        said += _journals(Path(target.journal), journal)
    return said


def _access_log(target: Target, log: Path, journal: Path) -> list[str]:
    from vaultstorm.journal import access_log

    form = target.access_log_format or access_log.DEFAULT
    try:
        access_log.convert(log, form, journal / f"worker-log-{log.stem}.ndjson")
    except VaultstormError as error:
        return [str(error)]
    return []


def _journals(found: Path, journal: Path) -> list[str]:
    """Copy the journals of workers; what else is there is not theirs."""
    try:
        paths = sorted(path for path in found.iterdir() if path.match("worker-*.ndjson"))
        for path in paths:
            shutil.copyfile(path, journal / path.name)
    except OSError as error:
        return [f"the journals in {found} cannot be read: {error.strerror}"]
    return [] if paths else [f"there is no journal in {found}"]
