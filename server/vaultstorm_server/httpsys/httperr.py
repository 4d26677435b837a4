"""The HTTPERR log of HTTP.SYS, in the format of Server 2003 SP1 (KB820729)."""

import asyncio
import os
import re
import time
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from vaultstorm_server.settings import HttpSys
from vaultstorm_wire.errors import MachineError

log = structlog.get_logger()

METHOD_MAX: Final = 255
URL_MAX: Final = 4096

# KB820729: a space, a tab or a control character is written as a plus sign. What is not ASCII has
# no place in the log's code page; as `?` it cannot end a line in anybody's decoding.
_WRITTEN: Final = bytes(43 if c <= 32 or c == 127 else 63 if c > 127 else c for c in range(256))
_VERSION: Final = re.compile(rb"HTTP/([0-9]+)\.([0-9]+)")


class Entry(NamedTuple):
    """One line of the log."""

    peer: tuple[str, int]
    local: tuple[str, int]
    reason: str
    version: bytes = b""
    """As in the request line: ``HTTP/1.1``."""
    method: bytes = b""
    url: bytes = b""
    status: int | None = None
    site: int | None = None
    """None until the request is known to belong to a site."""
    queue: str = ""
    """The application pool, once the request belongs to one."""


def _field(value: bytes) -> bytes:
    return value.translate(_WRITTEN) or b"-"


def _version(value: bytes) -> bytes:
    match = _VERSION.fullmatch(value)
    if match is None:
        return b"-"
    return value if len(match[1]) == len(match[2]) == 1 else b"HTTP/?.?"


def line(entry: Entry, now: float) -> bytes:
    """Write one entry; `now` is seconds since 1970, and the log speaks UTC."""
    fields = (
        time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now)).encode(),
        _field(entry.peer[0].encode()),
        b"%d" % entry.peer[1],
        _field(entry.local[0].encode()),
        b"%d" % entry.local[1],
        _version(entry.version),
        _field(entry.method[:METHOD_MAX]),
        _field(entry.url[:URL_MAX]),
        b"-" if entry.status is None else b"%d" % entry.status,
        b"-" if entry.site is None else b"%d" % entry.site,
        _field(entry.reason.encode()),
        _field(entry.queue.encode()),
    )
    return b" ".join(fields) + b"\n"


def header(now: float) -> bytes:
    """Write the lines that open a file."""
    date = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now)).encode()
    return (
        b"#Software: Microsoft HTTP API 1.0\n"
        b"#Version: 1.0\n"
        b"#Date: " + date + b"\n"
        b"#Fields: date time c-ip c-port s-ip s-port cs-version cs-method cs-uri sc-status"
        b" s-siteid s-reason s-queuename\n"
    )


class ErrorLog:
    """Appends to ``DIR/httperrN.log``, whole lines only, once per turn of the loop.

    Args:
        directory: made if it is not there; None for no log.
        settings: EnableErrorLogging and ErrorLogFileTruncateSize.
        loop: flushes once per turn of it; without one, call `flush`.

    Raises:
        MachineError: the directory or the file cannot be made.
    """

    def __init__(
        self,
        directory: Path | None,
        settings: HttpSys,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._loop = loop
        self._most = settings.ErrorLogFileTruncateSize
        self._lines: list[bytes] = []
        self._flushing = False
        self._failed = False
        self._file: int | None = None
        self._size = 0
        self._number = 1
        self._directory = directory if settings.EnableErrorLogging else None
        if self._directory is None:
            return
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._number = max(1, *_numbers(self._directory), 1)
            self._open()
        except OSError as error:
            raise MachineError(
                f"cannot write the HTTPERR log in {directory}: {error.strerror}; name another "
                "directory with httpsys.ErrorLoggingDir, or set httpsys.EnableErrorLogging to 0"
            ) from error

    @property
    def path(self) -> Path | None:
        """The file that is written at present; None if there is no log."""
        return self._directory and self._directory / f"httperr{self._number}.log"

    def append(self, entry: Entry, now: float) -> None:
        """Keep `entry` for the next flush."""
        if self._file is None:
            return
        self._lines.append(line(entry, now))
        if not self._flushing and self._loop is not None:
            self._flushing = True
            self._loop.call_soon(self.flush, now)

    def flush(self, now: float) -> None:
        """Write what was appended. A full disk is logged once; the server goes on without."""
        self._flushing = False
        data = b"".join(self._lines)
        self._lines.clear()
        if self._file is None or not data:
            return
        try:
            if self._size == 0:
                data = header(now) + data
            self._write(data)
            if self._size > self._most:
                os.close(self._file)
                self._file = None
                self._number += 1
                self._open()
        except OSError as error:
            if not self._failed:
                log.error("httperr_incomplete", path=str(self.path), error=error.strerror)
            self._failed = True

    def close(self, now: float) -> None:
        """Flush and close."""
        self.flush(now)
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> None:
        path = self.path
        assert path is not None
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._size = os.fstat(self._file).st_size
        if self._size > self._most:
            os.close(self._file)
            self._number += 1
            self._open()

    def _write(self, data: bytes) -> None:
        assert self._file is not None
        rest = memoryview(data)
        while rest:
            written = os.write(self._file, rest)
            self._size += written
            rest = rest[written:]


def _numbers(directory: Path) -> list[int]:
    names = (re.fullmatch(r"httperr([0-9]{1,9})\.log", path.name) for path in directory.iterdir())
    return [int(name[1]) for name in names if name]
