"""The sample applications that the shipped scenarios have other people's servers serve."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

from vaultstorm.journal import ASGIJournal, WSGIJournal

BODY: Final = b"ok\n"

Message = MutableMapping[str, Any]
_LENGTH: Final = str(len(BODY))


async def _asgi(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    if scope["type"] == "lifespan":
        while True:
            stage = (await receive())["type"]
            await send({"type": f"{stage}.complete"})
            if stage == "lifespan.shutdown":
                return
    while (message := await receive())["type"] == "http.request" and message.get("more_body"):
        pass
    headers = [(b"content-type", b"text/plain"), (b"content-length", _LENGTH.encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


def _wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", _LENGTH)])
    return [BODY]


asgi = ASGIJournal(_asgi)
wsgi = WSGIJournal(_wsgi)
