"""The control plane's application: status, metrics and actions, for this machine only.

Plain ASGI: everything that is asked stands in the path, and a framework for that would take 20 ms
of every start.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from vaultstorm_wire.errors import MachineError, UsageError

LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
INDEX: Final = (
    "vaultstorm admin: GET /status, GET /metrics, POST /gate/open, POST /gate/closed, "
    "POST /gate/resolver/open, POST /gate/resolver/closed, POST /gate/exporter/open, "
    "POST /gate/exporter/closed, POST /recycle, POST /iisreset, POST /apply-hotfix/NAME, "
    "POST /stop-pool, POST /start-pool, "
    "POST /set/apppool.Key=value, POST /worker/kill, POST /worker/hang, POST /worker/resume\n"
)
SIGNALS: Final = ("kill", "hang", "resume")
RPC_GATES: Final = ("resolver", "exporter")

JSON: Final = "application/json"
TEXT: Final = "text/plain; charset=utf-8"

Headers = Sequence[tuple[bytes, bytes]]
Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Controlled(Protocol):
    """The server, as its control plane sees it.

    What it cannot do at the moment it raises as a MachineError, what is asked wrongly as a
    UsageError.
    """

    def status(self) -> Mapping[str, Any]:
        """Give the whole state of the server."""

    def set_gate(self, open_: bool) -> None:
        """Let the application accept, or hold it back."""

    def set_rpc_gate(self, which: str, open_: bool) -> None:
        """Let the resolver, or every object exporter, accept, or hold it back."""

    def recycle(self) -> None:
        """Recycle all workers."""

    def stop_pool(self) -> None:
        """Turn the pool off."""

    def start_pool(self) -> None:
        """Turn the pool on."""

    def set(self, text: str) -> Mapping[str, Any]:
        """Change one setting, and say what it is then."""

    def signal_worker(self, what: str) -> list[int]:
        """Do one of `SIGNALS`, and give the pids of the workers that it was done to."""

    async def iis_reset(self) -> float:
        """Stop and start everything, and give the seconds it took."""

    async def apply_hotfix(self, name: str) -> Mapping[str, Any]:
        """Install a hotfix, and say what was done."""


class Answer(NamedTuple):
    """What is sent back."""

    body: bytes
    type: str = JSON
    status: int = 200


class Application:
    """Shows and changes a server: an ASGI application.

    It turns away what a web page in a browser of this machine may send without being asked: a
    request for another host name, as a page that rebinds its DNS sends it, and a POST with the
    Origin of a page or with Sec-Fetch-Site saying that it comes from one: neither curl nor
    `vaultstorm ctl` sends those fields (Fetch standard, 3.2; Fetch Metadata, 2.4).
    """

    def __init__(self, server: Controlled) -> None:
        self._server = server
        self._views: Mapping[str, Callable[[], Answer]] = {
            "/": lambda: Answer(INDEX.encode(), TEXT),
            "/status": lambda: _json(server.status()),
            "/metrics": self._metrics,
        }
        self._actions: Mapping[str, tuple[Callable[[], object], Mapping[str, str]]] = {
            "/gate/open": (lambda: server.set_gate(True), {"gate": "open"}),
            "/gate/closed": (lambda: server.set_gate(False), {"gate": "closed"}),
            "/recycle": (server.recycle, {"recycle": "begun"}),
            "/stop-pool": (server.stop_pool, {"pool": "stopped"}),
            "/start-pool": (server.start_pool, {"pool": "started"}),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        del receive  # no request here has a body that matters
        answer = await self._answer(scope["method"], scope["path"], scope["headers"])
        fields = [
            (b"content-type", answer.type.encode()),
            (b"content-length", b"%d" % len(answer.body)),
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": fields})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, method: str, path: str, headers: Headers) -> Answer:
        error = _foreign(headers, method)
        if error is not None:
            return _json({"error": error}, 403)
        answer = None
        try:
            if method in ("GET", "HEAD") and path in self._views:
                answer = self._views[path]()
            elif method == "POST":
                answer = await self._act(path)
        except UsageError as wrong:
            return _json({"error": str(wrong)}, 400)
        except MachineError as conflict:
            return _json({"error": str(conflict)}, 409)
        return _unknown(method, path) if answer is None else answer

    async def _act(self, path: str) -> Answer | None:
        """Do what a path says; None if it says nothing that is known."""
        server = self._server
        if path in self._actions:
            do, told = self._actions[path]
            do()
            return _json(told)
        match path.split("/", 2)[1:]:
            case ["gate", gate]:
                which, _, state = gate.partition("/")
                if which in RPC_GATES and state in ("open", "closed"):
                    server.set_rpc_gate(which, state == "open")
                    return _json({"gate": f"{which} {state}"})
            case ["set", assignment]:
                return _json(server.set(assignment))
            case ["worker", what] if what in SIGNALS:
                return _json({"worker": what, "pids": server.signal_worker(what)})
            case ["iisreset"]:
                return _json({"iisreset": "done", "seconds": round(await server.iis_reset(), 3)})
            case ["apply-hotfix", name] if name and "/" not in name:
                return _json(await server.apply_hotfix(name))
        return None

    def _metrics(self) -> Answer:
        # 50 ms of imports that only those who scrape need, taken at the first scrape
        from vaultstorm_server.admin import metrics

        return Answer(metrics.render(self._server.status()), metrics.CONTENT_TYPE)


def _foreign(headers: Headers, method: str) -> str | None:
    """Say why a request is not one of this machine's own tools; None if it may be.

    A field may come more than once, but for Host, of which h11 takes one (RFC 9112, 3.2).
    """
    host = dict(headers).get(b"host", b"").decode("latin-1")
    name = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
    if name.lower() not in LOCAL_NAMES:
        return f"the Host header must be one of {', '.join(sorted(LOCAL_NAMES))}"
    if method == "POST" and any(
        name == b"origin" or (name == b"sec-fetch-site" and value != b"none")
        for name, value in headers
    ):
        return "a web page may not do this: use `vaultstorm ctl`, or curl"
    return None


def _json(content: object, status: int = 200) -> Answer:
    return Answer(msgspec.json.encode(content), status=status)


def _unknown(method: str, path: str) -> Answer:
    error = f"{method} {path} is no action here"
    actions = INDEX.strip().partition(": ")[2].split(", ")
    return _json({"error": error, "actions": actions}, 404)
