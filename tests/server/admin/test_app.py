"""The control plane's application, asked over real sockets."""

import asyncio
import http.client
import json
import signal
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import uvloop

from vaultstorm_server.admin import bind
from vaultstorm_server.admin.server import Admin

STATUS = {"pid": 1, "uptime": 2.5}


class Answer(NamedTuple):
    """What came back."""

    status: int
    type: str | None
    body: bytes


class Exchange(NamedTuple):
    """An answer, and what the gate was set to."""

    answer: Answer
    gates: list[bool]


def ask(method: str, path: str, host: str | None = None) -> Exchange:
    """Start a control plane, send it one request, stop it."""
    gates: list[bool] = []

    def request(url: str) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        connection.request(method, path, headers={"Host": host} if host is not None else {})
        response = connection.getresponse()
        answer = Answer(response.status, response.getheader("content-type"), response.read())
        connection.close()
        return answer

    async def main() -> Answer:
        sock = bind.bind(0)
        url = bind.url(sock)
        admin = Admin(sock, lambda: STATUS, gates.append)
        admin.start()
        before = signal.getsignal(signal.SIGTERM)
        answer = await asyncio.get_running_loop().run_in_executor(None, request, url)
        assert signal.getsignal(signal.SIGTERM) is before
        await admin.stop()
        return answer

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return Exchange(runner.run(main()), gates)


def told(exchange: Exchange) -> Any:
    """Read a JSON answer."""
    assert exchange.answer.type == "application/json"
    return json.loads(exchange.answer.body)


def test_status_is_the_servers_status_in_json() -> None:
    """GET /status gives what the server says of itself."""
    exchange = ask("GET", "/status")
    assert exchange.answer.status == 200
    assert told(exchange) == STATUS


@pytest.mark.parametrize("state, is_open", [("open", True), ("closed", False)])
def test_the_gate_is_set(state: str, is_open: bool) -> None:
    """POST /gate/STATE sets it once, and says so."""
    exchange = ask("POST", f"/gate/{state}")
    assert exchange.answer.status == 200
    assert told(exchange) == {"gate": state}
    assert exchange.gates == [is_open]


def test_metrics_are_prometheus_text() -> None:
    """GET /metrics has the numbers of the status, in the format's own content type."""
    exchange = ask("GET", "/metrics")
    assert b"vaultstorm_uptime 2.5\n" in exchange.answer.body
    assert exchange.answer.type is not None
    assert exchange.answer.type.startswith("text/plain; version=0.0.4")


def test_the_index_is_one_line() -> None:
    """GET / names the actions."""
    exchange = ask("GET", "/")
    assert exchange.answer.body.count(b"\n") == 1
    assert b"POST /gate/closed" in exchange.answer.body


@pytest.mark.parametrize(
    "method, path", [("GET", "/nothing"), ("POST", "/gate/ajar"), ("GET", "/gate/open")]
)
def test_a_wrong_action_is_told_the_right_ones(method: str, path: str) -> None:
    """Wrong path and wrong method alike are 404 with the list; the gate stays as it is."""
    exchange = ask(method, path)
    assert exchange.answer.status == 404
    assert "POST /gate/open" in told(exchange)["actions"]
    assert exchange.gates == []


@pytest.mark.parametrize(
    "host, status",
    [
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:1", 200),
        ("[::1", 403),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example:8079", 403),
        ("", 403),
    ],
)
def test_only_names_of_this_machine_are_answered(host: str, status: int) -> None:
    """A page that had its name point here sends that name: 403, and no gate is touched."""
    exchange = ask("POST", "/gate/closed", host)
    assert exchange.answer.status == status
    assert len(exchange.gates) == (status == 200)
