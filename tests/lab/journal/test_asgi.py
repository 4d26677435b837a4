"""The ASGI middleware, driven by hand: no event loop is there."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.lab.journal.reading import begun, story
from vaultstorm.journal import ASGIJournal, process_file
from vaultstorm.journal.asgi import Message, Receive, Scope, Send

DONE = ["begun", "200 GET /"]
START: Message = {"type": "http.response.start", "status": 200, "headers": []}
BODY: Message = {"type": "http.response.body", "body": b"ok"}


class Cancelled(BaseException):
    """What asyncio and trio end a task with is no Exception."""


def step(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run it to its end: nothing it awaits may need a loop."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


class Server:
    """An ASGI server in a nutshell."""

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self.sent: list[str] = []
        self.known: list[str] = []
        """What the journal had when the answer began."""

    def scope(self, **more: Any) -> Scope:
        """Give the scope of a request."""
        headers = [(b"host", b"x"), (b"x-request-id", b"a"), (b"x-request-id", b"b")]
        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b""}
        return {**scope, "headers": headers, **more}

    async def receive(self) -> Message:
        """Give the request's body, empty."""
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: Message) -> None:
        """Take a part of the answer."""
        if message["type"] == "http.response.start":
            self.known = story(self.journal)
        self.sent.append(message["type"].rpartition(".")[2])

    def serve(self, app: Any, **scope: Any) -> None:
        """Serve one request."""
        step(app(self.scope(**scope), self.receive, self.send))


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """Give a server."""
    return Server(tmp_path)


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer in two parts, after a hint that is no answer."""
    await send({"type": "http.response.early_hint", "links": []})
    await send(START)
    await send({**BODY, "more_body": True})
    await send(BODY)


def test_it_is_written_before_the_answer_begins(server: Server) -> None:
    """The head may leave before the body is known."""
    server.serve(ASGIJournal(answer, server.journal))
    assert server.known == DONE
    assert server.sent == ["early_hint", "start", "body", "body"]
    assert story(server.journal) == DONE
    assert begun(server.journal) == ["a"]


def test_begun_is_written_before_the_application_is_entered(server: Server) -> None:
    """Whatever kills it there."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert story(server.journal) == ["begun"]
        await answer(scope, receive, send)

    server.serve(ASGIJournal(app, server.journal))


def test_an_exception_is_status_500_and_goes_on(server: Server) -> None:
    """Unless the answer had begun."""

    async def at_once(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError

    async def later(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        raise LookupError

    for app in (at_once, later):
        with pytest.raises(LookupError):
            server.serve(ASGIJournal(app, server.journal))
    assert story(server.journal) == ["begun", "500 GET /", *DONE]


def test_who_is_cancelled_or_never_answers_leaves_what_was_begun(server: Server) -> None:
    """Nobody knows how far it had come."""

    async def cancelled(scope: Scope, receive: Receive, send: Send) -> None:
        raise Cancelled

    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

    with pytest.raises(Cancelled):
        server.serve(ASGIJournal(cancelled, server.journal))
    server.serve(ASGIJournal(silent, server.journal))
    assert story(server.journal) == ["begun", "begun"]


def test_an_answer_that_the_server_refuses_was_executed(server: Server) -> None:
    """A client that has gone makes `send` fail: the application had answered all the same."""

    async def refuse(message: Message) -> None:
        if message is START:
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        step(ASGIJournal(answer, server.journal)(server.scope(), server.receive, refuse))
    assert story(server.journal) == DONE


@pytest.mark.parametrize("kind", ["lifespan", "websocket", "something.new"])
def test_what_is_no_request_passes_untouched(server: Server, kind: str) -> None:
    """With the server's own objects."""
    seen: list[object] = []

    async def app(*given: object) -> None:
        seen.extend(given)

    scope = {"type": kind}
    step(ASGIJournal(app, server.journal)(scope, server.receive, server.send))
    assert seen == [scope, server.receive, server.send]
    assert seen[0] is scope
    assert list(server.journal.iterdir()) == []


@pytest.mark.parametrize(
    "scope, target",
    [
        ({"path": "/a b", "query_string": b"x=1"}, "/a%20b?x=1"),
        ({"path": "/é", "raw_path": b"/%C3%A9"}, "/%C3%A9"),
        ({"path": "/é", "raw_path": None}, "/%C3%A9"),
        ({"path": "/\udc80", "query_string": b"\xff"}, "/%3F?\xff"),
    ],
)
def test_the_target_is_what_was_sent(server: Server, scope: Any, target: str) -> None:
    """From the server where it tells, else put together again."""
    if scope.get("query_string") is None:
        scope = {**scope, "query_string": b""}
    server.serve(ASGIJournal(answer, server.journal), **scope)
    assert story(server.journal)[1] == f"200 GET {target}"


@pytest.mark.parametrize("headers", [[], [(b"x-request-id", b"")], [(b"X-Other", b"a")]])
def test_without_an_id_there_is_none(server: Server, headers: Any) -> None:
    """An empty one is none either."""
    server.serve(ASGIJournal(answer, server.journal), headers=headers)
    assert begun(server.journal) == [None]


def test_wrapped_twice_it_is_written_once(server: Server) -> None:
    """Or every request would look executed twice; the server's scope is left as it is."""
    app = ASGIJournal(ASGIJournal(answer, server.journal), server.journal)
    scope = server.scope()
    before = dict(scope)
    step(app(scope, server.receive, server.send))
    assert scope == before
    assert story(server.journal) == DONE


def test_without_a_directory_nothing_is_touched(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The application sees the server's own objects."""
    monkeypatch.delenv(process_file.VARIABLE, raising=False)
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend((receive, send))

    server.serve(ASGIJournal(app))
    assert seen == [server.receive, server.send]
