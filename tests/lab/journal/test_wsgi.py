"""The WSGI middleware, by the letter of PEP 3333."""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.journal.reading import story
from vaultstorm.journal import WSGIJournal, process_file
from vaultstorm.journal.wsgi import Environ, StartResponse

OK = "200 OK"


class Server:
    """A WSGI server in a nutshell: notes what it is given, and what the journal has by then."""

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self.heads: list[str] = []
        self.sent: list[bytes] = []
        self.known: list[str] = []
        """What the journal had when the first byte came."""
        self.result: Iterable[bytes] | None = None

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        """Keep the head; what is sent already cannot be taken back (PEP 3333)."""
        if exc_info and self.sent:
            raise exc_info[1].with_traceback(exc_info[2])
        self.heads.append(status)
        return self.write

    def write(self, data: bytes) -> None:
        """Send."""
        if data and not self.sent:
            self.known = story(self.journal)
        if data:
            self.sent.append(data)

    def serve(self, app: Any, **environ: Any) -> bytes:
        """Serve one request to its end."""
        self.result = app(
            {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_X_REQUEST_ID": "a", **environ},
            self.start_response,
        )
        assert self.result is not None
        try:
            for chunk in self.result:
                self.write(chunk)
        finally:
            if hasattr(self.result, "close"):
                self.result.close()
        return b"".join(self.sent)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """Give a server."""
    return Server(tmp_path)


DONE = ["begun", "200 GET /"]


def whole(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with a list."""
    start_response(OK, [])
    return [b"ok"]


def late(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """Answer by a generator: nothing happens before its first chunk is asked for."""
    start_response(OK, [])
    yield b""
    yield b"o"
    yield b"k"


def written(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer through the old `write`."""
    write = start_response(OK, [])
    write(b"ok")
    return []


class Closing:
    """A body that notes that it was closed."""

    closed = 0

    def __init__(self, environ: Environ, start_response: StartResponse) -> None:
        start_response(OK, [])
        Closing.closed = 0
        self._left = [b"k", b"o"]

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self._left:
            raise StopIteration
        return self._left.pop()

    def close(self) -> None:
        """Note it."""
        Closing.closed += 1


@pytest.mark.parametrize(
    "app", [whole, late, written, Closing], ids=["list", "generator", "write", "object"]
)
def test_it_is_written_before_the_first_byte(server: Server, app: Any) -> None:
    """However an application answers; and never twice."""
    assert server.serve(WSGIJournal(app, server.journal)) == b"ok"
    assert server.known == DONE
    assert story(server.journal) == DONE
    assert server.heads == [OK]


def test_begun_is_written_before_the_application_is_entered(server: Server) -> None:
    """Whatever kills it there."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        assert story(server.journal) == ["begun"]
        return whole(environ, start_response)

    assert server.serve(WSGIJournal(app, server.journal)) == b"ok"


def test_a_list_reaches_the_server_as_it_is(server: Server) -> None:
    """Servers take the length of the answer from it."""
    server.serve(WSGIJournal(whole, server.journal))
    assert server.result == [b"ok"]


def test_a_file_reaches_the_server_as_its_own_wrapper(server: Server) -> None:
    """Servers send it in a faster way."""

    class FileWrapper:
        def __init__(self, chunks: list[bytes]) -> None:
            self.chunks = chunks

        def __iter__(self) -> Iterator[bytes]:
            return iter(self.chunks)

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response(OK, [])
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"]([b"ok"])
        return wrapped

    environ = {"wsgi.file_wrapper": FileWrapper}
    assert server.serve(WSGIJournal(app, server.journal), **environ) == b"ok"
    assert isinstance(server.result, FileWrapper)
    assert story(server.journal) == DONE


def test_a_body_is_closed_once(server: Server) -> None:
    """As PEP 3333 promises the application, after an error too."""
    server.serve(WSGIJournal(Closing, server.journal))
    assert Closing.closed == 1


def test_an_answer_nobody_looks_at_is_written_down_at_its_close(server: Server) -> None:
    """A server need not read a body for HEAD; one that ended before its head has no status."""
    app = WSGIJournal(Closing, server.journal)
    result: Any = app({"REQUEST_METHOD": "HEAD", "PATH_INFO": "/"}, server.start_response)
    result.close()
    assert story(server.journal) == ["begun", "200 HEAD /"]
    never: Any = WSGIJournal(late, server.journal)({"REQUEST_METHOD": "GET"}, server.start_response)
    never.close()
    assert story(server.journal) == ["begun", "200 HEAD /", "begun"]


def test_an_empty_answer_is_one(server: Server) -> None:
    """Its head leaves when the body is over."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("204 No Content", [])
        return iter(())

    assert server.serve(WSGIJournal(app, server.journal)) == b""
    assert story(server.journal) == ["begun", "204 GET /"]


def test_another_status_counts_as_long_as_nothing_is_sent(server: Server) -> None:
    """An error handler calls start_response again, with exc_info."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response(OK, [])
        try:
            raise RuntimeError("late")
        except RuntimeError:
            start_response("500 Sorry", [], sys.exc_info())
        yield b"sorry"

    assert server.serve(WSGIJournal(app, server.journal)) == b"sorry"
    assert server.heads == [OK, "500 Sorry"]
    assert story(server.journal) == ["begun", "500 GET /"]


def test_what_is_sent_stays_so(server: Server) -> None:
    """The server raises what comes after the first byte; the journal has the first status."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response(OK, [])
        yield b"ok"
        try:
            raise RuntimeError("too late")
        except RuntimeError:
            start_response("500 Sorry", [], sys.exc_info())

    with pytest.raises(RuntimeError, match="too late"):
        server.serve(WSGIJournal(app, server.journal))
    assert story(server.journal) == DONE


def test_an_exception_is_status_500_and_goes_on(server: Server) -> None:
    """Whether it leaves the call or its body; of one that was answered the answer counts."""

    def at_once(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        raise LookupError("at once")

    def later(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response(OK, [])
        yield from ()
        raise LookupError("later")

    for app in (at_once, later):
        with pytest.raises(LookupError):
            server.serve(WSGIJournal(app, server.journal))
    assert story(server.journal) == ["begun", "500 GET /"] * 2


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_who_is_ended_from_outside_leaves_what_was_begun(
    server: Server, kind: type[BaseException]
) -> None:
    """A worker that its master has aborted may have done anything."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        raise kind

    with pytest.raises(kind):
        server.serve(WSGIJournal(app, server.journal))
    assert story(server.journal) == ["begun"]


@pytest.mark.parametrize(
    "environ, target",
    [
        ({"PATH_INFO": "/a b", "QUERY_STRING": "x=1"}, "/a%20b?x=1"),
        ({"SCRIPT_NAME": "/app", "PATH_INFO": "/"}, "/app/"),
        ({"PATH_INFO": "/\xc3\xa9"}, "/%C3%A9"),
        ({"PATH_INFO": "/x", "RAW_URI": "/%78?y"}, "/%78?y"),
        ({"PATH_INFO": "/x", "REQUEST_URI": "/%78?z"}, "/%78?z"),
    ],
)
def test_the_target_is_what_was_sent(server: Server, environ: Environ, target: str) -> None:
    """From the server where it tells, else put together again."""
    server.serve(WSGIJournal(whole, server.journal), **environ)
    assert story(server.journal)[1] == f"200 GET {target}"


def test_wrapped_twice_it_is_written_once(server: Server) -> None:
    """Or every request would look executed twice."""
    inner = WSGIJournal(whole, server.journal)
    assert server.serve(WSGIJournal(inner, server.journal)) == b"ok"
    assert story(server.journal) == DONE


def test_without_a_directory_nothing_is_touched(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The application sees the server's own objects."""
    monkeypatch.delenv(process_file.VARIABLE, raising=False)
    seen: list[object] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(start_response)
        return whole(environ, start_response)

    assert server.serve(WSGIJournal(app)) == b"ok"
    assert seen == [server.start_response]
    assert list(server.journal.iterdir()) == []
