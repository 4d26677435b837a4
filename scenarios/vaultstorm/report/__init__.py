"""The report of a run: one HTML file that opens from disk and asks nobody for anything."""

from pathlib import Path
from typing import Final

from vaultstorm_wire.errors import MachineError

NAME: Final = "report.html"
"""What the report is called in the run directory."""


def write(directory: Path) -> Path:
    """Write the report of the finished run in `directory`, from what stands there alone.

    Returns:
        The report's path.

    Raises:
        UsageError: there is no finished run in `directory`.
        MachineError: the report cannot be written.
    """
    # Templates cost a tenth of a second that no other command should pay for its start.
    from vaultstorm.report import data, page

    with data.opened(directory) as source:
        text = page.render(data.read(source))
    path = directory / NAME
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise MachineError(
            f"cannot write {path}: {error.strerror}; make room or give the right, then "
            f"`vaultstorm report {directory}` writes it again"
        ) from error
    return path
