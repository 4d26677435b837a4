"""Reads what regedit exports: version 5 in UTF-16 or UTF-8, and REGEDIT4 in the ANSI code page."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple, NoReturn

from vaultstorm_wire.errors import UsageError

Value = int | str | tuple[str, ...] | bytes | None
"""REG_DWORD and REG_QWORD, REG_SZ and REG_EXPAND_SZ, REG_MULTI_SZ, any other; None is deleted."""

_VERSION_5: Final = "Windows Registry Editor Version 5.00"
_VERSION_4: Final = "REGEDIT4"
_BOMS: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"\xef\xbb\xbf": "utf-8"}
_ANSI: Final = "cp1252"

_KEY: Final = re.compile(r"\[(-?)(.+)\]\s*(?:;.*)?")
_NAME: Final = re.compile(r'(?:@|"((?:[^"\\]|\\.)*)")\s*=\s*(.*)', re.DOTALL)
_TEXT: Final = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(?:;.*)?', re.DOTALL)
_OPEN: Final = re.compile(r'(?:@|"(?:[^"\\]|\\.)*")\s*=\s*"(?:[^"\\]|\\.)*', re.DOTALL)
_DWORD: Final = re.compile(r"dword:\s*([0-9a-f]{1,8})\s*(?:;.*)?", re.IGNORECASE)
_HEX: Final = re.compile(
    r"hex(?:\(([0-9a-f]{1,8})\))?:\s*((?:[0-9a-f]{1,2}\s*(?:,\s*|(?=;|$)))*)(?:;.*)?", re.IGNORECASE
)
_DELETED: Final = re.compile(r"-\s*(?:;.*)?")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


class Entry(NamedTuple):
    """One value, or the deletion of a whole key.

    Attributes:
        line: of the file, where it begins.
        key: as it is written, without brackets.
        name: of the value, empty for the default one; None: the key is deleted.
        value: what it holds.
    """

    line: int
    key: str
    name: str | None
    value: Value


def parse(data: bytes, where: str) -> Iterator[Entry]:
    """Read a file, entry by entry in its order.

    Args:
        data: all of it.
        where: the name of the file, for messages.

    Raises:
        UsageError: it is no registry export; says in which line.
    """
    lines = _logical(_decode(data, where))
    number, header = next(lines, (1, ""))
    if header not in (_VERSION_4, _VERSION_5):
        _refuse(where, number, f"a registry file begins with {_VERSION_5!r} or {_VERSION_4!r}")
    narrow = _ANSI if header == _VERSION_4 else "utf-16-le"
    key: str | None = None
    for number, line in lines:
        if found := _KEY.fullmatch(line):
            deleted, key = found[1], found[2]
            if deleted:
                yield Entry(number, key, None, None)
                key = None
            continue
        named = _NAME.fullmatch(line)
        if named is None:
            _refuse(where, number, f'{_shown(line)} is neither a [key] nor a "name"=value')
        if key is None:
            _refuse(where, number, f"{_shown(line)} stands under no [key]")
        yield Entry(number, key, _plain(named[1] or ""), _value(named[2], narrow, where, number))


def _decode(data: bytes, where: str) -> str:
    """Decode by the byte order mark; without one, UTF-16 and UTF-8 are told from ANSI."""
    for bom, encoding in _BOMS.items():
        if data.startswith(bom):
            return _strict(data[len(bom) :], encoding, where)
    if data[1:2] == b"\0":
        return _strict(data, "utf-16-le", where)
    if data[:1] == b"\0":
        return _strict(data, "utf-16-be", where)
    if data.lstrip().startswith(_VERSION_4.encode()):
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data.decode(_ANSI, "replace")
    return _strict(data, "utf-8", where)


def _strict(data: bytes, encoding: str, where: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UsageError(f"{where} is no {encoding.upper()} text: export it again") from error


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Give the lines that say something, those put together that belong together."""
    lines = enumerate(re.split(r"\r\n|\n|\r", text), 1)
    for number, line in lines:
        line = line.strip()
        if not line or line.startswith(";"):
            continue
        if _OPEN.fullmatch(line):
            line = _closed(line, lines)
        elif not line.startswith("["):
            parts = [line]
            while parts[-1].endswith("\\"):  # regedit breaks long hex values so
                parts[-1] = parts[-1][:-1]
                parts.append(next(lines, (0, ""))[1].strip())
            line = "".join(parts)
        yield number, line


def _closed(line: str, lines: Iterator[tuple[int, str]]) -> str:
    """Put the lines of a text together that has line ends in it."""
    parts = [line]
    for _, more in lines:
        parts.append(more)
        if re.fullmatch(r'(?:[^"\\]|\\.)*"\s*(?:;.*)?', more):
            break
    return "\n".join(parts)


def _value(text: str, narrow: str, where: str, number: int) -> Value:
    if found := _DWORD.fullmatch(text):
        return int(found[1], 16)
    if found := _TEXT.fullmatch(text):
        return _plain(found[1])
    if _DELETED.fullmatch(text):
        return None
    if found := _HEX.fullmatch(text):
        data = bytes(int(byte, 16) for byte in re.findall(r"[0-9a-fA-F]{1,2}", found[2]))
        return _typed(int(found[1] or "3", 16), data, narrow)
    _refuse(where, number, f"{_shown(text)} is no value: write dword:0000000a, hex:0a,00 or a text")


def _typed(kind: int, data: bytes, narrow: str) -> Value:
    """Read the bytes of a type by its number (winnt.h); those that do not fit stay bytes."""
    if kind in (4, 11) and len(data) == (4 if kind == 4 else 8):
        return int.from_bytes(data, "little")
    if kind == 5 and len(data) == 4:
        return int.from_bytes(data, "big")
    if kind in (1, 2, 7):
        text = data.decode(narrow, "replace")
        return tuple(text.rstrip("\0").split("\0")) if kind == 7 else text.rstrip("\0")
    return data


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


def _refuse(where: str, number: int, what: str) -> NoReturn:
    raise UsageError(f"{where}, line {number}: {what}")
