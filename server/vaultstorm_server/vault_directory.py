"""The directory that the worker processes keep the vault's blocks and snapshots in."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog

from vaultstorm_server.w3wp import durable
from vaultstorm_wire.errors import MachineError

OTHER: Final = "name another directory with --set vault.Directory=DIR"

log = structlog.get_logger()


@contextmanager
def vault_directory(given: str) -> Iterator[str]:
    """Have the directory of a run: it is there, and can be written to.

    Args:
        given: Vault.Directory; empty for a temporary one, which is removed at the end.

    Raises:
        MachineError: it cannot be had.
    """
    if given:
        path = Path(given).absolute()
        _prepare(path)
        yield str(path)
        return
    try:
        temporary = tempfile.mkdtemp(prefix="vaultstorm-vault-")
    except OSError as error:
        raise MachineError(
            f"no temporary directory can be made for the vault: {error.strerror}; {OTHER}, "
            "or set TMPDIR"
        ) from error
    try:
        _prepare(Path(temporary))
        yield temporary
    finally:
        shutil.rmtree(temporary, onerror=_not_removed)


def _prepare(path: Path) -> None:
    """Make it, and try to write: permission bits do not tell what root or a file system may do.

    Its own name, and the names above it that are made, are as durable as what will be kept in it.
    """
    try:
        durable.make_directory(str(path))
        with tempfile.TemporaryFile(dir=path):
            pass
        str(path).encode()
    except UnicodeEncodeError as error:
        raise MachineError(f"the vault's directory {path!a} is not UTF-8; {OTHER}") from error
    except FileExistsError as error:
        raise MachineError(
            f"the vault cannot write in {path}: {error.filename} is not a directory; {OTHER}"
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in its name
        why = error.strerror if isinstance(error, OSError) else error
        raise MachineError(f"the vault cannot write in {path}: {why}; {OTHER}") from error


def _not_removed(_: object, path: str, __: object) -> None:
    log.warning("vault_directory_not_removed", path=path)
