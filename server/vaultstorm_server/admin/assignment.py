"""A setting of the pool that is changed while the server runs: ``apppool.Key=value``."""

from typing import Any, Final

import msgspec

from vaultstorm_server import configuration
from vaultstorm_server.configuration import Key
from vaultstorm_server.settings import AppPool, Settings
from vaultstorm_wire.errors import UsageError

SECTION: Final = "apppool"
FIXED: Final = ("Name", "OrphanActionExe", "OrphanActionParams")
"""What a running pool keeps: its name is in the lines of the logs already, and a command that the
server runs is for whoever starts the server to name, not for everybody on its machine."""
EXAMPLE: Final = "apppool.PeriodicRestartRequests=500"


def read(text: str, current: AppPool) -> tuple[AppPool, Key]:
    """Give `current` with one key changed, and which key that is.

    Raises:
        UsageError: it is no assignment, or the key or the value is not as `configuration` says.
    """
    path, equals, value = text.partition("=")
    section, dot, name = (part.strip() for part in path.partition("."))
    if not equals or not section or (dot and not name):
        raise UsageError(f"{text!r} sets nothing: write it as {EXAMPLE}")
    if not dot:
        raise UsageError(f"{section} stands without its section: {_with_section(section, value)}")
    if section != SECTION and section in Settings.__struct_fields__:
        raise UsageError(
            f"{section}.{name} is read once, when the server starts; what can be changed while it "
            f"runs are the keys of [{SECTION}]"
        )
    if section == SECTION and name in FIXED:
        raise UsageError(f"{SECTION}.{name} is read once, when the server starts")
    given = configuration.from_document({section: {name: value.strip()}}, "")
    pool = msgspec.structs.replace(current, **{name: getattr(given.apppool, name)})
    return pool, _keys()[name]


def shown(pool: AppPool, key: Key) -> dict[str, Any]:
    """Say what a key is: its name, its value in its own unit, and the unit if it has one."""
    value = getattr(pool, key.name)
    if not key.unit:
        return {"setting": key.path, "value": value}
    number = round(value / key.scale, 6)
    whole = int(number) == number
    return {"setting": key.path, "value": int(number) if whole else number, "unit": key.unit}


def _with_section(name: str, value: str) -> str:
    near = configuration.nearest(name, _keys())
    return f"did you mean {SECTION}.{near}={value}?" if near else f"write it as {EXAMPLE}"


def _keys() -> dict[str, Key]:
    return {key.name: key for key in configuration.describe() if key.section == SECTION}
