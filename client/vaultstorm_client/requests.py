"""The bytes of the requests of a burst: all alike but for their ids, or those of agents."""

import hashlib
from typing import Final

from vaultstorm_client.agent.calls import Call, Kind
from vaultstorm_client.plan import VAULT, VAULT_STATUS, Plan
from vaultstorm_client.target import Target
from vaultstorm_wire.version import __version__

BODYLESS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "DELETE", "CONNECT"})


class RequestTemplate:
    """Everything of a request but its id, encoded once."""

    def __init__(self, plan: Plan, target: Target) -> None:
        body = _body(plan.seed, plan.body_size)
        path = plan.path or target.path or VAULT_STATUS
        lines = [f"{plan.method} {path} HTTP/1.1", *_common(target)]
        if body or plan.method not in BODYLESS:
            lines += ["Content-Type: application/octet-stream", f"Content-Length: {len(body)}"]
        self._before = ("\r\n".join(lines) + "\r\nX-Request-Id: ").encode("ascii")
        self._kept = b"\r\n\r\n" + body
        self._last = b"\r\nConnection: close\r\n\r\n" + body

    def fill(self, request_id: str, last: bool) -> bytes:
        """Give a request; the `last` one of its connection says so."""
        return self._before + request_id.encode("ascii") + (self._last if last else self._kept)


class CallTemplate:
    """What the requests of agents have in common."""

    def __init__(self, target: Target) -> None:
        self._vault = target.path.rstrip("/") or VAULT
        self._fields = "\r\n".join(["", *_common(target), "X-Request-Id: "])

    def fill(self, call: Call, request_id: str, last: bool) -> bytes:
        """Give the request of a call; the `last` one of its connection says so."""
        head = f"{call.method} {self._vault}{call.path} HTTP/1.1{self._fields}{request_id}\r\n"
        body = call.body
        if body is not None:
            head += f"Content-Length: {len(body)}\r\n"
        if body:
            head += f"Content-Type: {_TYPES[call.kind]}\r\n"
        head += "Connection: close\r\n\r\n" if last else "\r\n"
        return head.encode("ascii") + (body or b"")


_TYPES: Final = {Kind.PUT: "application/octet-stream", Kind.COMMIT: "application/json"}


def _common(target: Target) -> list[str]:
    return [
        f"Host: {target.netloc}",
        f"User-Agent: vaultstorm/{__version__}",
        "Accept: */*",
    ]


def _body(seed: int, size: int) -> bytes:
    """Make a body that does not compress, the same for the same seed."""
    return hashlib.shake_256(seed.to_bytes(8, "big")).digest(size) if size else b""
