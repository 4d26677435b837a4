"""The registry exports that `vaultstorm serve` is given."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vaultstorm_wire.errors import UsageError

if TYPE_CHECKING:
    from vaultstorm_server.configuration import Given


def exported(names: Sequence[str]) -> "tuple[Sequence[Given], Sequence[str]]":
    """Read registry exports one after the other.

    Args:
        names: of those in the library, or paths.

    Returns:
        The settings that they have, and the entries that the server has no setting for.

    Raises:
        UsageError: one cannot be read, or is no registry export.
    """
    if not names:
        return (), ()
    from vaultstorm_server.registry import read

    found = read(map(registry_file, names))
    return found.given, found.ignored


def registry_file(name: str) -> tuple[str, bytes]:
    """Give what a registry export is called, and what it holds.

    Args:
        name: of one in the library, or a path.

    Raises:
        UsageError: it cannot be read.
    """
    from vaultstorm import library

    shipped = library.find_registry(name)
    if shipped is not None:
        return shipped.name, shipped.read_bytes()
    try:
        return name, Path(name).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        because = error.strerror if isinstance(error, OSError) else error
        there = ", ".join(library.registry_names())
        raise UsageError(f"cannot read {name}: {because}; the library has {there}") from error
