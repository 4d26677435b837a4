"""The control plane's application: status, metrics and the gate, for this machine only."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
INDEX: Final = "vaultstorm admin: GET /status, GET /metrics, POST /gate/open, POST /gate/closed\n"

Status = Callable[[], Mapping[str, Any]]
Gate = Callable[[bool], None]


class Json(Response):
    """An answer in JSON, of anything that msgspec encodes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Encode the content."""
        return msgspec.json.encode(content)


class LocalNamesOnly:
    """Turns away requests for another host name: a web page that rebinds its DNS sends those."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        host = Headers(scope=scope).get("host", "")
        name = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
        if name.lower() in LOCAL_NAMES:
            await self._app(scope, receive, send)
        else:
            error = f"the Host header must be one of {', '.join(sorted(LOCAL_NAMES))}"
            await Json({"error": error}, 403)(scope, receive, send)


def application(status: Status, set_gate: Gate) -> ASGIApp:
    """Make the application.

    Args:
        status: gives the whole state of the server.
        set_gate: opens the application's accepts, or holds them back.
    """

    async def index(_: Request) -> Response:
        return PlainTextResponse(INDEX)

    async def show_status(_: Request) -> Response:
        return Json(status())

    async def show_metrics(_: Request) -> Response:
        # 50 ms of imports that only those who scrape need, taken at the first scrape
        from vaultstorm_server.admin import metrics

        return Response(metrics.render(status()), media_type=metrics.CONTENT_TYPE)

    async def open_gate(_: Request) -> Response:
        set_gate(True)
        return Json({"gate": "open"})

    async def close_gate(_: Request) -> Response:
        set_gate(False)
        return Json({"gate": "closed"})

    async def wrong(request: Request, _: Exception) -> Response:
        error = f"{request.method} {request.url.path} is no action here"
        actions = INDEX.strip().partition(": ")[2].split(", ")
        return Json({"error": error, "actions": actions}, 404)

    routes = [
        Route("/", index),
        Route("/status", show_status),
        Route("/metrics", show_metrics),
        Route("/gate/open", open_gate, methods=["POST"]),
        Route("/gate/closed", close_gate, methods=["POST"]),
    ]
    return LocalNamesOnly(Starlette(routes=routes, exception_handlers={404: wrong, 405: wrong}))
