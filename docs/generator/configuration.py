"""The keys of the server's configuration, as `configuration.describe` has them."""

from itertools import groupby
from typing import Final, get_type_hints

from docs.generator.tables import code, line, table
from vaultstorm_server import app_ids
from vaultstorm_server.configuration import Key, describe
from vaultstorm_server.settings import AppId, Settings

_UNITS: Final = {"s": "s", "min": "min", "B": "B", "KiB": "KiB"}


def tables() -> str:
    """Give one table per section."""
    parts = []
    for section, keys in groupby(describe(), lambda key: key.section):
        inside = section == app_ids.EVERY
        struct = AppId if inside else get_type_hints(Settings)[section]
        parts += [
            f"## {section}" if not inside else "## AppID",
            line(struct.__doc__ or ""),
            table(
                ("key", "default", "unit", "allowed", "is"),
                (_row(section, key) for key in keys),
            ),
        ]
    return "\n\n".join(parts)


def _row(section: str, key: Key) -> tuple[str, ...]:
    allowed = key.range
    if key.unit:
        allowed = allowed.removesuffix(f" {key.unit}").replace(f" {key.unit} or more", " or more")
    default = code(key.default) if key.default else "empty"
    name = code(f"{section}.{key.name}" if section != app_ids.EVERY else key.name)
    return name, default, key.unit, allowed or "any", key.description
