"""ASGI middleware: what of an application's requests began, and what was executed."""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import quote

from vaultstorm.journal import process_file

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MARK: Final = "vaultstorm.journal"
"""In a scope, that the request is in the journal already: an application may be wrapped twice."""


class ASGIJournal:
    """Writes down every HTTP request of an application: before it gets it, and before it answers.

    ``Begun`` stands in the journal before the application is called; ``Execution`` with its status
    before ``http.response.start`` is handed to the server, or, with status 500, when an exception
    leaves the application without an answer. Who is cancelled, or returns without an answer, leaves
    only ``Begun``. Lifespan and WebSocket pass through. It needs no event loop, so asyncio and trio
    will do; a write takes some microseconds.

    Args:
        app: of ASGI 3.
        directory: of the journals; None for that in $VAULTSTORM_JOURNAL. Without one, everything
            passes through untouched.

    Raises:
        OSError: nothing can be written in the directory.
    """

    def __init__(self, app: Application, directory: str | os.PathLike[str] | None = None) -> None:
        self.app = app
        self._file = process_file.find(directory)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection of the server's."""
        file = self._file
        if file is None or scope["type"] != "http" or MARK in scope:
            await self.app(scope, receive, send)
            return
        id = _request_id(scope)
        waits = True

        def executed(status: int) -> None:
            nonlocal waits
            if waits:
                waits = False
                file.executed(id, scope["method"], _target(scope), status)

        async def journalled(message: Message) -> None:
            if waits and message["type"] == "http.response.start":
                executed(message["status"])
            await send(message)

        file.begun(id)
        try:
            await self.app({**scope, MARK: True}, receive, journalled)
        except Exception:  # a cancellation is none: nobody knows how far it had come
            executed(500)
            raise


def _request_id(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return bytes(value).decode("latin-1") or None
    return None


def _target(scope: Scope) -> str:
    """Give the request's target as it was sent, as far as the server tells (it need not)."""
    raw, query = scope.get("raw_path"), scope.get("query_string")
    path = raw.decode("latin-1") if raw else quote(scope["path"], errors="replace")
    return f"{path}?{query.decode('latin-1')}" if query else path
