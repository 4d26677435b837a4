"""WSGI middleware: what of an application's requests began, and what was executed (PEP 3333)."""

import os
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Final
from urllib.parse import quote

from vaultstorm.journal import process_file
from vaultstorm.journal.process_file import ProcessFile

Environ = dict[str, Any]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]
Write = Callable[[bytes], object]
StartResponse = Callable[..., Write]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

MARK: Final = "vaultstorm.journal"
"""In an environ, that the request is in the journal already: an application may be wrapped twice.
"""

_SENT: Final = ("REQUEST_URI", "RAW_URI")
"""Where servers keep the target as it was sent."""


class WSGIJournal:
    """Writes down every request of an application: before it gets it, and before it answers.

    ``Begun`` stands in the journal before the application is called. ``Execution`` stands there
    before the first byte of the answer is handed to the server: `start_response` alone sends
    nothing, and may be called again with another status until then. An exception that leaves the
    application before is status 500. Without either there is only ``Begun``.

    Args:
        app: of WSGI.
        directory: of the journals; None for that in $VAULTSTORM_JOURNAL. Without one, everything
            passes through untouched.

    Raises:
        OSError: nothing can be written in the directory.
    """

    def __init__(self, app: Application, directory: str | os.PathLike[str] | None = None) -> None:
        self.app = app
        self._file = process_file.find(directory)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        file = self._file
        if file is None or MARK in environ:
            return self.app(environ, start_response)
        environ[MARK] = True
        call = _Call(file, environ, start_response)
        file.begun(call.id)
        try:
            body = self.app(environ, call.start_response)
        except Exception:
            call.failed()
            raise
        if call.status is not None and _is_whole(body, environ):
            call.answered()
            return body
        return _Body(body, call)


class _Call:
    """One request on its way through the application."""

    __slots__ = ("_environ", "_file", "_start_response", "_waits", "id", "status")

    def __init__(self, file: ProcessFile, environ: Environ, start_response: StartResponse) -> None:
        self.id: str | None = environ.get("HTTP_X_REQUEST_ID") or None
        self.status: int | None = None
        self._file = file
        self._environ = environ
        self._start_response = start_response
        self._waits = True

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
    ) -> Write:
        """Hand it on; what the server refuses, by an exception, is not the answer's status."""
        more = () if exc_info is None else (exc_info,)
        write = self._start_response(status, headers, *more)
        self.status = int(status[:3]) if status[:3].isdigit() else 0

        def journalled(data: bytes) -> object:
            self.answered()
            return write(data)

        return journalled

    def answered(self) -> None:
        """Write down the status, once, if there is one."""
        if self._waits and self.status is not None:
            self._executed(self.status)

    def failed(self) -> None:
        """Write down that an exception has left the application, if it had not answered."""
        if self._waits:
            self._executed(500)

    def _executed(self, status: int) -> None:
        self._waits = False
        self._file.executed(
            self.id, self._environ["REQUEST_METHOD"], _target(self._environ), status
        )


class _Body:
    """The application's answer: written down before its first byte, or when it is over."""

    __slots__ = ("_body", "_call", "_chunks")

    def __init__(self, body: Iterable[bytes], call: _Call) -> None:
        self._body = body
        self._call = call
        self._chunks: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            if self._chunks is None:
                self._chunks = iter(self._body)
            chunk = next(self._chunks)
        except StopIteration:
            self._call.answered()
            raise
        except Exception:
            self._call.failed()
            raise
        if chunk:
            self._call.answered()
        return chunk

    def close(self) -> None:
        """Close the application's; a server may do so without a look at an empty body (HEAD)."""
        self._call.answered()
        close = getattr(self._body, "close", None)
        if close is not None:
            close()


def _is_whole(body: Iterable[bytes], environ: Environ) -> bool:
    """Tell whether nothing can go wrong with a body any more.

    Servers look at the length of a list, and send a file of their own `wsgi.file_wrapper` in a
    faster way: both have to reach them as they are.
    """
    if isinstance(body, list | tuple):
        return True
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(body, wrapper)


def _target(environ: Environ) -> str:
    """Give the request's target as it was sent, or as it can be made again."""
    for name in _SENT:
        if environ.get(name):
            return str(environ[name])
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    query = environ.get("QUERY_STRING")
    quoted = quote(path, encoding="latin-1", errors="replace")
    return f"{quoted}?{query}" if query else quoted
