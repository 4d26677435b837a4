"""Reading the tables of a scenario file: what is wrong is named by file, table and key."""

import re
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import msgspec

from vaultstorm_server.configuration import nearest
from vaultstorm_wire import units
from vaultstorm_wire.errors import UsageError

T = TypeVar("T", bound=msgspec.Struct)

_MISSING = re.compile(r"Object missing required field `(?P<key>\w+)`.*")
_AT = re.compile(r"(?P<what>.*) - at `\$\.?(?P<key>.*)`")


def only(table: Mapping[str, object], known: Collection[str], where: str) -> None:
    """Refuse keys that are not `known`.

    Raises:
        UsageError: there is such a key; names the nearest known one.
    """
    for key in table:
        if key not in known:
            near = nearest(key, known)
            meant = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
            raise UsageError(f"{where}: there is no key {key}; {meant}")


def convert(table: object, kind: type[T], where: str) -> T:
    """Make a struct of a table.

    Raises:
        UsageError: a key is unknown or missing, or its value is of another type.
    """
    if not isinstance(table, Mapping):
        raise UsageError(f"{where}: has to be a table")
    only(table, [field.name for field in msgspec.structs.fields(kind)], where)
    try:
        return msgspec.convert(dict(table), kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: {_readable(str(error))}") from error


def _readable(error: str) -> str:
    missing = _MISSING.fullmatch(error)
    if missing:
        return f"{missing['key']} is missing"
    at = _AT.fullmatch(error)
    if at:
        return f"{at['key']}: {at['what'][0].lower()}{at['what'][1:]}"
    return error


def duration(value: Any, where: str) -> float:
    """Read a duration: a text with a unit, or seconds. Raises UsageError."""
    try:
        if isinstance(value, str):
            return units.duration(value)
        if not isinstance(value, bool) and isinstance(value, int | float) and value >= 0:
            return float(value)
    except ValueError:
        pass
    raise UsageError(f"{where} = {value!r} is not a duration such as 500ms, 2s or 1.5min")


def size(value: Any, where: str) -> int:
    """Read a size: a text with a unit, or bytes. Raises UsageError."""
    try:
        if isinstance(value, str):
            return units.size(value)
        if not isinstance(value, bool) and isinstance(value, int) and value >= 0:
            return value
    except ValueError:
        pass
    raise UsageError(f"{where} = {value!r} is not a size such as 512, 16KiB or 4MB")
