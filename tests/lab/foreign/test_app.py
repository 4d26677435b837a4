"""The sample applications, called as servers call them."""

import asyncio
import io
from typing import Any

from vaultstorm.foreign import app


def test_the_wsgi_application_reads_the_body_and_answers() -> None:
    """With its length, so that a connection can be kept."""
    body = io.BytesIO(b"abcdef")
    said: list[Any] = []
    environ = {"wsgi.input": body, "CONTENT_LENGTH": "4", "REQUEST_METHOD": "POST"}

    def start_response(*given: Any) -> Any:
        said.append(given)

    answer = app.wsgi({**environ, "PATH_INFO": "/"}, start_response)
    assert b"".join(answer) == b"ok\n"
    assert said[0][0] == "200 OK"
    assert ("Content-Length", "3") in said[0][1]
    assert body.read() == b"ef"


def test_the_asgi_application_reads_the_body_and_answers() -> None:
    """In its pieces, to the last."""
    messages = [
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.request", "body": b"b"},
        {"type": "http.disconnect"},
    ]
    sent = call({"type": "http", "method": "POST", "path": "/", "headers": []}, messages)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert (sent[0]["status"], sent[1]["body"]) == (200, b"ok\n")
    assert messages == [{"type": "http.disconnect"}]


def test_the_asgi_application_starts_and_ends_with_its_server() -> None:
    """Both stages of the lifespan are completed."""
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = call({"type": "lifespan"}, messages)
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


def call(scope: dict[str, Any], messages: list[Any]) -> list[Any]:
    """Call the ASGI application, and give what it has sent."""
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app.asgi(scope, receive, send))
    return sent
