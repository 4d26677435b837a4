"""Reading the journals of a directory, as the tests of the journals do."""

from pathlib import Path

from vaultstorm_wire import journal
from vaultstorm_wire.journal import Begun, Execution, Journal


def records(directory: Path) -> list[Begun | Execution]:
    """Give all records of all files but their headers; every file has to be its process' own."""
    found: list[Begun | Execution] = []
    for path in sorted(directory.glob("worker-*.ndjson")):
        with path.open("rb") as file:
            header, *rest = journal.read(file)
        assert isinstance(header, Journal)
        assert header.role == "worker"
        assert path.name.startswith(f"worker-{header.pid}")
        for record in rest:
            assert isinstance(record, Begun | Execution)
            assert record.worker == header.pid
            found.append(record)
    return found


def begun(directory: Path) -> list[str | None]:
    """Give the ids of what was begun, in order."""
    return [record.id for record in records(directory) if isinstance(record, Begun)]


def executed(directory: Path) -> list[tuple[str | None, int]]:
    """Give id and status of what was executed, in order."""
    return [
        (record.id, record.status) for record in records(directory) if isinstance(record, Execution)
    ]


def story(directory: Path) -> list[str]:
    """Give all of it, a word each."""
    return [
        f"{record.status} {record.method} {record.target}"
        if isinstance(record, Execution)
        else "begun"
        for record in records(directory)
    ]
