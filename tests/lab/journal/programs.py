"""An application whose requests hang, fail and answer, for the servers that the tests run."""

import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from typing import Any

from vaultstorm.journal import ASGIJournal, WSGIJournal

Message = MutableMapping[str, Any]


async def _asgi(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    if scope["type"] == "lifespan":
        for stage in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{stage}.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    if scope["path"] == "/fail":
        raise LookupError("asked for")
    if scope["path"] == "/hang":
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/half":
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    await send({"type": "http.response.body", "body": b"ok"})


def _wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if environ["PATH_INFO"] == "/fail":
        raise LookupError("asked for")
    if environ["PATH_INFO"] == "/hang":
        threading.Event().wait()
    start_response("200 OK", [])
    return _half() if environ["PATH_INFO"] == "/half" else [b"ok"]


def _half() -> Iterator[bytes]:
    yield b"half"
    threading.Event().wait()


asgi = ASGIJournal(_asgi)
wsgi = WSGIJournal(_wsgi)
