"""The ASGI application that uvicorn runs in the bench: it gives the answer of the file ANSWER_FILE.

That file is JSON: ``{"status": 200, "headers": [["name", "value"], …], "body": "…"}``.
"""

import json
import os
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final

ANSWER_FILE: Final = "VAULTSTORM_BENCH_ANSWER"

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


def make() -> Callable[[Mapping[str, Any], Receive, Send], Awaitable[None]]:
    """Make the application (``uvicorn --factory``)."""
    answer = json.loads(Path(os.environ[ANSWER_FILE]).read_text())
    start = {
        "type": "http.response.start",
        "status": answer["status"],
        "headers": [(name.encode(), value.encode()) for name, value in answer["headers"]],
    }
    body = {"type": "http.response.body", "body": answer["body"].encode()}

    async def app(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer every request alike, after its body has been read."""
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        while (await receive()).get("more_body"):
            pass
        await send(start)
        await send(body)

    return app
