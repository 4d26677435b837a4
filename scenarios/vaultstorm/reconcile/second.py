"""The second process of a large run: ``VARIANT DATABASE JOURNAL...``, journals into a database."""

import sys
from pathlib import Path
from typing import Final

from vaultstorm.reconcile import database, schema
from vaultstorm.reconcile.load import read
from vaultstorm_wire.errors import MachineError

_CACHE: Final = -8192
"""KiB. Rows are only appended here: nothing is looked for."""


def main(variant: str, path: Path, files: list[Path]) -> None:
    """Read the journals of a variant into a new database.

    Raises:
        MachineError: a journal cannot be read, or the database not written.
    """
    with database.new(path) as db:
        db.execute(f"PRAGMA cache_size = {_CACHE}")
        schema.create(db)
        for file in files:
            read(db, variant, file)


if __name__ == "__main__":
    try:
        main(sys.argv[1], Path(sys.argv[2]), [Path(file) for file in sys.argv[3:]])
    except MachineError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
