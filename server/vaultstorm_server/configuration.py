"""Reads settings: the command line over the file over the defaults.

What a key may hold is written once, in the annotations of `settings`; everything here asks there.
"""

import difflib
import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, get_type_hints

import msgspec
from msgspec import inspect

from vaultstorm_server.settings import Settings
from vaultstorm_wire import units
from vaultstorm_wire.errors import UsageError

_AT_LINE = re.compile(r"(?P<what>.*) \(at line (?P<line>\d+), column \d+\)", re.DOTALL)
_CHOICE = re.compile(r"\^\((?P<names>[\w|]+)\)\$")


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
    return [key for keys in _known().values() for key in keys.values()]


def load(file: Path | None = None, overrides: Sequence[str] = ()) -> Settings:
    """Read the settings.

    Args:
        file: TOML, one section per component; None for the defaults.
        overrides: ``section.Key=value`` each, stronger than the file, the last one of a key wins.

    Raises:
        UsageError: anything in them is not as `describe` says.
    """
    given = [] if file is None else _from_document(_parse(file), f"{file}: ")
    return _settings([*given, *map(_from_override, overrides)])


def from_document(document: Mapping[str, object], where: str) -> Settings:
    """Read settings that stand as tables in another document.

    Args:
        document: one mapping per section.
        where: what messages begin with.

    Raises:
        UsageError: anything in it is not as `describe` says.
    """
    return _settings(_from_document(document, where))


def parse(data: bytes, where: str) -> dict[str, Any]:
    """Read TOML.

    Args:
        data: all of it.
        where: the name of the file, for messages.

    Raises:
        UsageError: it is not TOML; says in which line.
    """
    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        raise UsageError(f"{where} is not UTF-8 text, as TOML has to be") from error
    except RecursionError as error:
        raise UsageError(f"{where}: nested too deeply") from error
    except ValueError as error:  # TOMLDecodeError, and what int() says to a number too long for it
        at = _AT_LINE.fullmatch(str(error))
        if at:
            raise UsageError(f"{where}, line {at['line']}: {at['what']}") from error
        raise UsageError(f"{where}: {error}") from error


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Give the one of `known` that may have been meant by `word`; None if none is near."""
    by_fold = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), by_fold, n=1)
    return by_fold[near[0]] if near else None


def _settings(given: Iterable["_Given"]) -> Settings:
    known = _known()
    values: dict[str, dict[str, object]] = {}
    for where, section, name, raw in given:
        key = _find(known, where, section, name)
        values.setdefault(key.section, {})[key.name] = _read(key, where, raw)
    return msgspec.convert(values, Settings)


def _known() -> dict[str, dict[str, Key]]:
    sections: dict[str, dict[str, Key]] = {}
    whole = inspect.type_info(Settings)
    assert isinstance(whole, inspect.StructType)
    for section in whole.fields:
        assert isinstance(section.type, inspect.StructType)
        sections[section.name] = {
            field.name: _key(section.name, field) for field in section.type.fields
        }
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


class _Given(NamedTuple):
    where: str
    section: str
    name: str
    raw: object


def _from_document(document: Mapping[str, object], where: str) -> Iterator[_Given]:
    for section, entries in document.items():
        if not isinstance(entries, Mapping):
            if section in Settings.__struct_fields__:
                raise UsageError(f"{where}{section} is a section: write [{section}]")
            raise UsageError(
                f"{where}{section} stands outside of a section; sections are {_sections()}"
            )
        if not entries:
            _check_section(where, section)
        for name, raw in entries.items():
            yield _Given(where, section, name, raw)


def _parse(file: Path) -> dict[str, Any]:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    return parse(data, str(file))


def _from_override(text: str) -> _Given:
    path, equals, raw = text.partition("=")
    section, dot, name = path.strip().partition(".")
    if not equals or not dot or not name:
        raise UsageError(f"--set {text}: write section.Key=value, as in afd.Backlog=100")
    return _Given("--set ", section, name, raw.strip())


def _sections() -> str:
    return ", ".join(f"[{name}]" for name in Settings.__struct_fields__)


def _check_section(where: str, section: str) -> None:
    if section not in Settings.__struct_fields__:
        near = nearest(section, Settings.__struct_fields__)
        meant = f"; did you mean [{near}]?" if near else ""
        raise UsageError(f"{where}there is no section [{section}]; there are {_sections()}{meant}")


def _find(known: Mapping[str, Mapping[str, Key]], where: str, section: str, name: str) -> Key:
    """Look a key up, or say which one may have been meant, in this section or in another."""
    _check_section(where, section)
    key = known[section].get(name)
    if key is not None:
        return key
    elsewhere = [key.path for keys in known.values() for key in keys.values() if key.name == name]
    near = nearest(name, known[section])
    if near is not None:
        elsewhere.append(f"{section}.{near}")
    meant = f"did you mean {elsewhere[0]}?" if elsewhere else f"it has {', '.join(known[section])}"
    raise UsageError(f"{where}there is no {section}.{name}; {meant}")


def _read(key: Key, where: str, raw: object) -> object:
    """Turn what was written into seconds, bytes, a count or a word, and check it."""
    kind = key.type
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        value: object = _quantity(key, where, raw)
        low, high = kind.ge, kind.le
        assert isinstance(value, int | float)
        if not (-math.inf if low is None else low) <= value <= (math.inf if high is None else high):
            _refuse(key, where, raw, f"is out of range: {key.range}")
    elif isinstance(kind, inspect.StrType):
        value = raw
    else:
        value = _toml_value(raw) if where == "--set " else raw
    try:
        return msgspec.convert(value, _python_type(key))
    except msgspec.ValidationError as error:
        because = f"is not {key.range}" if key.range else f"is wrong: {error}"
        if isinstance(kind, inspect.StrType) and not isinstance(raw, str):
            because = "is not a text in quotes"
        _refuse(key, where, raw, because)


def _quantity(key: Key, where: str, raw: object) -> float:
    """Read a number: bare ones have the key's unit; texts may name another."""
    whole = isinstance(key.type, inspect.IntType)
    what = "a whole number" if whole else "a number"
    try:
        if isinstance(raw, str):
            return _text_quantity(key, raw)
        if isinstance(raw, bool) or not isinstance(raw, int if whole else int | float):
            raise TypeError
        return raw * key.scale
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        if key.unit in units.DURATIONS:
            what = "a duration such as 500ms, 2s or 1.5min"
        elif key.unit:
            what = "a size such as 512, 16KiB or 4MB"
        _refuse(key, where, raw, f"is not {what}; allowed is {key.range}")


def _text_quantity(key: Key, text: str) -> float:
    if key.unit in units.DURATIONS:
        try:
            return float(text) * key.scale
        except ValueError:
            return units.duration(text, key.unit)
    if isinstance(key.type, inspect.FloatType):
        return float(text)
    try:
        return int(text, 0) * key.scale  # registry exports write DWORDs in hexadecimal
    except ValueError:
        if key.unit:
            return units.size(text, key.unit)
        raise


def _toml_value(raw: object) -> object:
    """Read the right side of a ``--set`` for a key that holds a list or a table."""
    try:
        return tomllib.loads(f"value = {raw}")["value"]
    except ValueError:
        return raw


def _python_type(key: Key) -> Any:
    section = get_type_hints(Settings)[key.section]
    return get_type_hints(section, include_extras=True)[key.name]


def _refuse(key: Key, where: str, raw: object, because: str) -> NoReturn:
    shown = str(raw).lower() if isinstance(raw, bool) else str(raw)
    if len(shown) > 60:
        shown = f"{shown[:60]}…"
    raise UsageError(f"{where}{key.path} = {shown} {because}")
