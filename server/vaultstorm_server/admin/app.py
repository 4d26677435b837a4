"""The control plane's application: status, metrics and actions, for this machine only."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

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

Answer = Callable[[Request], Awaitable[Response]]


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


class Json(Response):
    """An answer in JSON, of anything that msgspec encodes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Encode the content."""
        return msgspec.json.encode(content)


class LocalOnly:
    """Turns away what a web page in a browser of this machine may send without being asked.

    That is a request for another host name, as a page that rebinds its DNS sends it, and a POST
    with the Origin of a page or with Sec-Fetch-Site saying that it comes from one: neither curl nor
    `vaultstorm ctl` sends those fields (Fetch standard, 3.2; Fetch Metadata, 2.4).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        error = _foreign(Headers(scope=scope), scope.get("method", ""))
        if error is None:
            await self._app(scope, receive, send)
        else:
            await Json({"error": error}, 403)(scope, receive, send)


def _foreign(headers: Headers, method: str) -> str | None:
    """Say why a request is not one of this machine's own tools; None if it may be."""
    host = headers.get("host", "")
    name = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
    if name.lower() not in LOCAL_NAMES:
        return f"the Host header must be one of {', '.join(sorted(LOCAL_NAMES))}"
    site = headers.get("sec-fetch-site", "none")
    if method == "POST" and ("origin" in headers or site != "none"):
        return "a web page may not do this: use `vaultstorm ctl`, or curl"
    return None


def application(server: Controlled) -> ASGIApp:
    """Make the application that shows and changes `server`."""
    actions: list[tuple[str, Callable[[], object], Mapping[str, Any]]] = [
        ("/gate/open", lambda: server.set_gate(True), {"gate": "open"}),
        ("/gate/closed", lambda: server.set_gate(False), {"gate": "closed"}),
        ("/recycle", server.recycle, {"recycle": "begun"}),
        ("/stop-pool", server.stop_pool, {"pool": "stopped"}),
        ("/start-pool", server.start_pool, {"pool": "started"}),
    ]

    async def rpc_gate(request: Request) -> Response:
        which, state = request.path_params["which"], request.path_params["state"]
        if which not in RPC_GATES or state not in ("open", "closed"):
            return _unknown(request)
        server.set_rpc_gate(which, state == "open")
        return Json({"gate": f"{which} {state}"})

    async def set_(request: Request) -> Response:
        return Json(server.set(request.path_params["assignment"]))

    async def worker(request: Request) -> Response:
        what = request.path_params["what"]
        if what not in SIGNALS:
            return _unknown(request)
        return Json({"worker": what, "pids": server.signal_worker(what)})

    async def iis_reset(_: Request) -> Response:
        return Json({"iisreset": "done", "seconds": round(await server.iis_reset(), 3)})

    async def apply_hotfix(request: Request) -> Response:
        return Json(await server.apply_hotfix(request.path_params["name"]))

    async def wrong(request: Request, _: Exception) -> Response:
        return _unknown(request)

    routes = [
        *_views(server),
        *(Route(path, _action(do, told), methods=["POST"]) for path, do, told in actions),
        Route("/gate/{which}/{state}", rpc_gate, methods=["POST"]),
        Route("/set/{assignment:path}", set_, methods=["POST"]),
        Route("/worker/{what}", worker, methods=["POST"]),
        Route("/iisreset", iis_reset, methods=["POST"]),
        Route("/apply-hotfix/{name}", apply_hotfix, methods=["POST"]),
    ]
    handlers = {404: wrong, 405: wrong, UsageError: _wrong_usage, MachineError: _conflict}
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return LocalOnly(app)


def _views(server: Controlled) -> list[Route]:
    async def index(_: Request) -> Response:
        return PlainTextResponse(INDEX)

    async def show_status(_: Request) -> Response:
        return Json(server.status())

    async def show_metrics(_: Request) -> Response:
        # 50 ms of imports that only those who scrape need, taken at the first scrape
        from vaultstorm_server.admin import metrics

        return Response(metrics.render(server.status()), media_type=metrics.CONTENT_TYPE)

    return [
        Route("/", index),
        Route("/status", show_status),
        Route("/metrics", show_metrics),
    ]


def _action(do: Callable[[], object], told: Mapping[str, Any]) -> Answer:
    async def answer(_: Request) -> Response:
        do()
        return Json(told)

    return answer


def _unknown(request: Request) -> Response:
    error = f"{request.method} {request.url.path} is no action here"
    actions = INDEX.strip().partition(": ")[2].split(", ")
    return Json({"error": error, "actions": actions}, 404)


async def _wrong_usage(_: Request, error: Exception) -> Response:
    return Json({"error": str(error)}, 400)


async def _conflict(_: Request, error: Exception) -> Response:
    return Json({"error": str(error)}, 409)
