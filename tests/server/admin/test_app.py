"""The control plane's application, asked over real sockets."""

import asyncio
import http.client
import json
import signal
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import pytest
import uvloop

from tests.server.admin.controlled import STATUS, Server
from vaultstorm_server.admin import bind
from vaultstorm_server.admin.app import INDEX, SIGNALS, Application
from vaultstorm_server.admin.server import Admin
from vaultstorm_wire.errors import MachineError, UsageError


class Answer(NamedTuple):
    """What came back."""

    status: int
    type: str | None
    body: bytes


class Exchange(NamedTuple):
    """An answer, and what the server was asked to do."""

    answer: Answer
    did: list[object]


def ask(
    method: str,
    path: str,
    host: str | None = None,
    refusal: Exception | None = None,
    headers: dict[str, str] | None = None,
) -> Exchange:
    """Start a control plane, send it one request, stop it."""
    server = Server(refusal)

    def request(url: str) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        given = {"Host": host} if host is not None else {}
        connection.request(method, path, headers={**given, **(headers or {})})
        response = connection.getresponse()
        answer = Answer(response.status, response.getheader("content-type"), response.read())
        connection.close()
        return answer

    async def main() -> Answer:
        sock = bind.bind(0)
        url = bind.url(sock)
        admin = Admin(sock, server)
        admin.start()
        before = signal.getsignal(signal.SIGTERM)
        answer = await asyncio.get_running_loop().run_in_executor(None, request, url)
        assert signal.getsignal(signal.SIGTERM) is before
        await admin.stop()
        return answer

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return Exchange(runner.run(main()), server.did)


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
    assert exchange.did == [is_open]


@pytest.mark.parametrize("which", ["resolver", "exporter"])
@pytest.mark.parametrize("state, is_open", [("open", True), ("closed", False)])
def test_the_gates_of_rpc_are_set(which: str, state: str, is_open: bool) -> None:
    """POST /gate/WHICH/STATE sets one of them once, and says so."""
    exchange = ask("POST", f"/gate/{which}/{state}")
    assert exchange.answer.status == 200
    assert told(exchange) == {"gate": f"{which} {state}"}
    assert exchange.did == [(which, is_open)]
    assert f"POST /gate/{which}/{state}" in INDEX


@pytest.mark.parametrize("path", ["/gate/https/open", "/gate/exporter/ajar", "/gate/exporter/"])
def test_there_are_no_other_gates(path: str) -> None:
    """A wrong name is answered with what there is."""
    exchange = ask("POST", path)
    assert exchange.answer.status == 404
    assert exchange.did == []


@pytest.mark.parametrize(
    "path, did, answer",
    [
        ("/recycle", "recycle", {"recycle": "begun"}),
        ("/stop-pool", "stop_pool", {"pool": "stopped"}),
        ("/start-pool", "start_pool", {"pool": "started"}),
        ("/iisreset", "iis_reset", {"iisreset": "done", "seconds": 1.235}),
        *((f"/worker/{what}", what, {"worker": what, "pids": [7]}) for what in SIGNALS),
    ],
)
def test_an_action_is_done_once_and_said(path: str, did: str, answer: object) -> None:
    """POST does it; the answer comes when it is done."""
    exchange = ask("POST", path)
    assert (exchange.answer.status, told(exchange)) == (200, answer)
    assert exchange.did == [did]
    assert f"POST {path}" in INDEX


@pytest.mark.parametrize(
    "text",
    [
        "apppool.MaxProcesses=2",
        "apppool.PeriodicRestartSchedule=03:00,15:30",
        "apppool.OrphanActionExe=/bin/sh",
        "apppool.OrphanActionParams=%1% a+b?c#d=é ",
        "",
    ],
)
def test_a_setting_is_handed_on_as_it_was_written(text: str) -> None:
    """Quoted as a part of the path it may hold anything."""
    exchange = ask("POST", f"/set/{quote(text, safe='')}")
    assert (exchange.answer.status, told(exchange)) == (200, {"setting": "x"})
    assert exchange.did == [text]


@pytest.mark.parametrize("refusal, status", [(UsageError("no, so"), 400), (MachineError("x"), 409)])
@pytest.mark.parametrize(
    "path",
    ["/recycle", "/iisreset", "/apply-hotfix/x", "/set/x", "/worker/kill", "/gate/open"],
)
def test_what_the_server_says_against_it_is_the_answer(
    path: str, refusal: Exception, status: int
) -> None:
    """Wrong usage is 400; what cannot be done at the moment is 409."""
    exchange = ask("POST", path, refusal=refusal)
    assert (exchange.answer.status, told(exchange)) == (status, {"error": str(refusal)})


@pytest.mark.parametrize("name", ["TECH39579", "x", "a b"])
def test_a_hotfix_is_applied_by_its_name(name: str) -> None:
    """Whether there is such a one the server says; the answer comes when it is done."""
    exchange = ask("POST", f"/apply-hotfix/{quote(name)}")
    assert (exchange.answer.status, told(exchange)) == (200, {"hotfix": name})
    assert exchange.did == [name]
    assert "POST /apply-hotfix/NAME" in INDEX


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
    "method, path",
    [
        ("GET", "/nothing"),
        ("POST", "/gate/ajar"),
        ("GET", "/gate/open"),
        ("GET", "/recycle"),
        ("GET", "/iisreset"),
        ("POST", "/apply-hotfix"),
        ("POST", "/apply-hotfix/TECH39579/KB908739"),
        ("GET", "/apply-hotfix/TECH39579"),
        ("POST", "/worker"),
        ("POST", "/worker/nudge"),
        ("GET", "/worker/kill"),
        ("POST", "/set"),
        ("GET", "/set/apppool.MaxProcesses=2"),
    ],
)
def test_a_wrong_action_is_told_the_right_ones(method: str, path: str) -> None:
    """Wrong path and wrong method alike are 404 with the list; the gate stays as it is."""
    exchange = ask(method, path)
    assert exchange.answer.status == 404
    assert "POST /gate/open" in told(exchange)["actions"]
    assert exchange.did == []


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
    assert len(exchange.did) == (status == 200)


@pytest.mark.parametrize(
    "headers, status",
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_no_web_page_changes_anything(headers: dict[str, str], status: int) -> None:
    """A POST that a page sends bears its marks, needs no preflight, and does nothing here."""
    exchange = ask("POST", "/stop-pool", headers=headers)
    assert exchange.answer.status == status
    assert len(exchange.did) == (status == 200)


@pytest.mark.parametrize("sites", [("none", "cross-site"), ("cross-site", "none")])
def test_a_field_that_comes_twice_hides_no_page(sites: tuple[str, str]) -> None:
    """Whichever of the two is the page's, it counts."""
    fields = [(b"host", b"localhost"), *((b"sec-fetch-site", site.encode()) for site in sites)]
    server, sent = Server(), []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> None:
        raise AssertionError("there is no body")

    scope = {"method": "POST", "path": "/stop-pool", "headers": fields}
    asyncio.run(Application(server)(scope, receive, send))
    assert (sent[0]["status"], server.did) == (403, [])


def test_a_host_that_comes_twice_is_refused() -> None:
    """Or else a proxy and we might take different ones."""
    exchange = ask("POST", "/stop-pool", "localhost", headers={"hOST": "localhost"})
    assert (exchange.answer.status, exchange.did) == (400, [])


def test_a_page_may_look() -> None:
    """A GET changes nothing, and its answer is none that another origin may read."""
    assert ask("GET", "/status", headers={"Origin": "http://evil.example"}).answer.status == 200
