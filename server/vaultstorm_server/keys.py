"""The keys that a configuration can have, as the annotations of `settings` describe them."""

import functools
import re
from typing import Any, Final, NamedTuple

from msgspec import inspect

from vaultstorm_server import app_ids
from vaultstorm_server.settings import Settings
from vaultstorm_wire import units

_CHOICE: Final = re.compile(r"\^\((?P<names>[\w|]+)\)\$")


class Key(NamedTuple):
    """What one key may hold.

    Attributes:
        default: as a person would write it, in `unit`.
        unit: of a bare number; empty where a number counts something.
        range: what is allowed, with the unit; empty where anything is.
        scale: what a bare number is multiplied by to get seconds or bytes.
    """

    section: str
    name: str
    type: inspect.Type
    default: str
    unit: str
    range: str
    description: str
    scale: float

    @property
    def path(self) -> str:
        """The name that ``--set`` and messages use."""
        return f"{self.section}.{self.name}"


def describe() -> list[Key]:
    """List every key there is, in the order of `settings`."""
    return [key for keys in known().values() for key in keys.values()]


@functools.cache
def known() -> dict[str, dict[str, Key]]:
    """Give the keys by section and name; those of an AppID stand in `app_ids.EVERY`."""
    sections: dict[str, dict[str, Key]] = {}
    whole = inspect.type_info(Settings)
    assert isinstance(whole, inspect.StructType)
    for section in whole.fields:
        name, kind = section.name, section.type
        if isinstance(kind, inspect.DictType):
            name, kind = app_ids.EVERY, kind.value_type
        assert isinstance(kind, inspect.StructType)
        sections[name] = {field.name: _key(name, field) for field in kind.fields}
    return sections


def _key(section: str, field: inspect.Field) -> Key:
    kind, extra, schema = field.type, dict[str, Any](), dict[str, Any]()
    while isinstance(kind, inspect.Metadata):
        extra = {**(kind.extra or {}), **extra}
        schema = {**(kind.extra_json_schema or {}), **schema}
        kind = kind.type
    unit = extra.get("duration") or extra.get("size") or ""
    scale = {**units.DURATIONS, **units.SIZES}.get(unit, 1)
    default: object = field.default
    if isinstance(default, int | float):
        default = _number(default / scale) if scale != 1 else _number(default)
    return Key(
        section=section,
        name=field.name,
        type=kind,
        default=str(default),
        unit=unit,
        range=extra.get("form") or _range(kind, unit, scale),
        description=schema.get("description", ""),
        scale=scale,
    )


def _range(kind: inspect.Type, unit: str, scale: float) -> str:
    if isinstance(kind, inspect.StrType):
        choice = _CHOICE.fullmatch(kind.pattern or "")
        if choice:
            *most, last = choice["names"].split("|")
            return f"{', '.join(most)} or {last}" if most else last
        if kind.min_length or kind.max_length:
            return f"{kind.min_length or 0} to {kind.max_length or 'any number of'} characters"
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        low = None if kind.ge is None else _number(kind.ge / scale)
        high = None if kind.le is None else _number(kind.le / scale)
        tail = f" {unit}" if unit else ""
        if low is not None:
            return f"{low} to {high}{tail}" if high is not None else f"{low}{tail} or more"
    return ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:g}"
