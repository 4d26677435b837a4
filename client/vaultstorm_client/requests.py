"""The bytes of the requests of a burst: all alike but for their ids."""

import hashlib
from typing import Final

from vaultstorm_client.plan import VAULT_STATUS, Plan
from vaultstorm_client.target import Target
from vaultstorm_wire.version import __version__

BODYLESS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "DELETE", "CONNECT"})


class RequestTemplate:
    """Everything of a request but its id, encoded once."""

    def __init__(self, plan: Plan, target: Target) -> None:
        body = _body(plan.seed, plan.body_size)
        path = plan.path or target.path or VAULT_STATUS
        lines = [
            f"{plan.method} {path} HTTP/1.1",
            f"Host: {target.netloc}",
            f"User-Agent: vaultstorm/{__version__}",
            "Accept: */*",
        ]
        if body or plan.method not in BODYLESS:
            lines += ["Content-Type: application/octet-stream", f"Content-Length: {len(body)}"]
        self._before = ("\r\n".join(lines) + "\r\nX-Request-Id: ").encode("ascii")
        self._kept = b"\r\n\r\n" + body
        self._last = b"\r\nConnection: close\r\n\r\n" + body

    def fill(self, request_id: str, last: bool) -> bytes:
        """Give a request; the `last` one of its connection says so."""
        return self._before + request_id.encode("ascii") + (self._last if last else self._kept)


def _body(seed: int, size: int) -> bytes:
    """Make a body that does not compress, the same for the same seed."""
    return hashlib.shake_256(seed.to_bytes(8, "big")).digest(size) if size else b""
