"""Reads settings: the command line over the file over the defaults.

What a key may hold is written once, in the annotations of `settings`; everything here asks there.
"""

import difflib
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, get_type_hints

import msgspec
from msgspec import inspect

from vaultstorm_server import app_ids
from vaultstorm_server.keys import Key, describe, known
from vaultstorm_server.settings import AppId, Settings
from vaultstorm_wire import units
from vaultstorm_wire.errors import UsageError

__all__ = ["Given", "Key", "describe", "from_document", "load", "nearest", "parse"]

_AT_LINE = re.compile(r"(?P<what>.*) \(at line (?P<line>\d+), column \d+\)", re.DOTALL)


class Given(NamedTuple):
    """A setting as it was written.

    Attributes:
        where: what a message about it begins with.
        section: of `settings`; ``AppID.`` and a guid for one of an AppID.
        name: of the key.
        raw: its value.
        origin: the key of the registry that it stood under.
    """

    where: str
    section: str
    name: str
    raw: object
    origin: str = ""


def load(
    file: Path | None = None, overrides: Sequence[str] = (), registry: Sequence[Given] = ()
) -> Settings:
    """Read the settings.

    Args:
        file: TOML, one section per component; None for the defaults.
        overrides: ``section.Key=value`` each, stronger than the file, the last one of a key wins.
        registry: what a registry export has, weaker than the file.

    Raises:
        UsageError: anything in them is not as `describe` says.
    """
    given = [] if file is None else _from_document(_parse(file), f"{file}: ")
    return _settings([*registry, *given, *map(_from_override, overrides)])


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
    import tomllib  # only where there is a file

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


def _settings(given: Iterable[Given]) -> Settings:
    keys = known()
    values: dict[str, dict[str, object]] = {}
    for one in given:
        key = _find(keys, one.where, one.section, one.name)
        values.setdefault(key.section, {})[key.name] = _read(key, one.where, one.raw)
    return msgspec.convert(app_ids.nested(values), Settings)


def _from_document(document: Mapping[str, object], where: str) -> Iterator[Given]:
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
            if section != app_ids.SECTION:
                yield Given(where, section, name, raw)
            elif isinstance(raw, Mapping):
                inside = app_ids.section(name)
                given = raw or msgspec.to_builtins(AppId())  # one with nothing of its own is there
                yield from (Given(where, inside, key, value) for key, value in given.items())
            else:
                raise UsageError(f'{where}{section}.{name} is a section: write [AppID."{{guid}}"]')


def _parse(file: Path) -> dict[str, Any]:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    return parse(data, str(file))


def _from_override(text: str) -> Given:
    path, equals, raw = text.partition("=")
    section, dot, name = path.strip().partition(".")
    if section == app_ids.SECTION:
        section, dot, name = path.strip().rpartition(".")
    if section == app_ids.SECTION and equals and dot:
        raise UsageError(f"--set {text}: write {app_ids.EVERY}.{name}=value, with its guid")
    if not equals or not dot or not name:
        raise UsageError(f"--set {text}: write section.Key=value, as in afd.Backlog=100")
    return Given("--set ", section, name, raw.strip())


def _sections() -> str:
    return ", ".join(f"[{name}]" for name in Settings.__struct_fields__)


def _check_section(where: str, section: str) -> None:
    if section not in Settings.__struct_fields__:
        near = nearest(section, Settings.__struct_fields__)
        meant = f"; did you mean [{near}]?" if near else ""
        raise UsageError(f"{where}there is no section [{section}]; there are {_sections()}{meant}")


def _find(known: Mapping[str, Mapping[str, Key]], where: str, section: str, name: str) -> Key:
    """Look a key up, or say which one may have been meant, in this section or in another."""
    application = app_ids.of(section)
    if application is not None:
        try:
            section = app_ids.section(app_ids.read(application))
        except ValueError as error:
            raise UsageError(f"{where}{app_ids.SECTION}: {error}") from error
    else:
        _check_section(where, section)
    keys = known[section if application is None else app_ids.EVERY]
    key = keys.get(name)
    if key is not None:
        return key._replace(section=section)
    elsewhere = [key.path for keys in known.values() for key in keys.values() if key.name == name]
    near = nearest(name, keys)
    if near is not None:
        elsewhere.append(f"{section}.{near}")
    meant = f"did you mean {elsewhere[0]}?" if elsewhere else f"it has {', '.join(keys)}"
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
    import tomllib

    try:
        return tomllib.loads(f"value = {raw}")["value"]
    except ValueError:
        return raw


def _python_type(key: Key) -> Any:
    inside = app_ids.of(key.section) is not None
    section = AppId if inside else get_type_hints(Settings)[key.section]
    return get_type_hints(section, include_extras=True)[key.name]


def _refuse(key: Key, where: str, raw: object, because: str) -> NoReturn:
    shown = str(raw).lower() if isinstance(raw, bool) else str(raw)
    if len(shown) > 60:
        shown = f"{shown[:60]}…"
    raise UsageError(f"{where}{key.path} = {shown} {because}")
