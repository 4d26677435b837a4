"""The vault: the ISAPI that answers the requests, a store of blocks named by their SHA-256.

No description of the real AeXRSVault protocol is public (TECH39579 names the ISAPI only): the
paths and the answers are our own.
"""

import hashlib
import string
from typing import Final, NamedTuple

import msgspec

from vaultstorm_server.channel import Headers

STATUS_PATH: Final = "/AeXRSVault/status"
BLOCKS_PATH: Final = "/AeXRSVault/blocks/"
DIGEST_DIGITS: Final = 64
READ: Final = ("GET", "HEAD")

_JSON: Final = (b"Content-Type", b"application/json")
_BLOCK: Final = (b"Content-Type", b"application/octet-stream")
_encode = msgspec.json.Encoder().encode
_HEX: Final = frozenset(string.hexdigits)


class Answer(NamedTuple):
    """What the vault says to a request; to a HEAD it says the length in place of the body."""

    status: int
    headers: Headers
    body: bytes


class VaultStatistics(NamedTuple):
    """What the vault keeps."""

    blocks: int
    bytes: int


class Vault:
    """Blocks in memory, and the methods on them.

    Args:
        max_blocks: Vault.MaxBlocks.
        pid: of the worker, shown by the status.
        started: when the worker started, in seconds of the clock of `handle`.
    """

    def __init__(self, max_blocks: int, pid: int, started: float) -> None:
        self._max_blocks = max_blocks
        self._pid = pid
        self._started = started
        self._blocks: dict[str, bytes] = {}
        self._bytes = 0

    def handle(self, method: str, target: str, body: bytes, now: float) -> Answer:
        """Run one method."""
        path = target.partition("?")[0]
        if not path.startswith("/"):  # RFC 9112, 3.2.2: a server takes the absolute form as well
            path = "/" + path.partition("://")[2].partition("/")[2]
        answer = self._route(method, path, body, now)
        if method != "HEAD":
            return answer
        length = (b"Content-Length", b"%d" % len(answer.body))
        return Answer(answer.status, [*answer.headers, length], b"")

    @property
    def unhealthy(self) -> str | None:
        """What it reports by HSE_REQ_REPORT_UNHEALTHY; None while it is well.

        A full store takes nothing more and is empty after a recycle, which is what a report is for.
        """
        if len(self._blocks) < self._max_blocks:
            return None
        return f"all {self._max_blocks} blocks are kept"

    def statistics(self) -> VaultStatistics:
        """Give what is kept."""
        return VaultStatistics(len(self._blocks), self._bytes)

    def _route(self, method: str, path: str, body: bytes, now: float) -> Answer:
        if path == STATUS_PATH:
            return self._status(now) if method in READ else _not_allowed(method, READ)
        if path.startswith(BLOCKS_PATH):
            name = path.removeprefix(BLOCKS_PATH)
            if len(name) != DIGEST_DIGITS or not _HEX.issuperset(name):
                return _error(404, f"a block is named by the 64 hex digits of its SHA-256: {path}")
            return self._block(method, name.lower(), body)
        return _error(404, f"nothing is at {path}; {STATUS_PATH} and {BLOCKS_PATH}<sha256> are")

    def _status(self, now: float) -> Answer:
        status = {
            "service": "AeXRSVault",
            "pid": self._pid,
            "uptime": round(now - self._started, 3),
            "blocks": len(self._blocks),
            "bytes": self._bytes,
        }
        return Answer(200, [_JSON], _encode(status))

    def _block(self, method: str, name: str, body: bytes) -> Answer:
        if method == "PUT":
            return self._put(name, body)
        if method not in READ:
            return _not_allowed(method, (*READ, "PUT"))
        block = self._blocks.get(name)
        if block is None:
            return _error(404, f"no block {name} is kept; PUT it first")
        return Answer(200, [_BLOCK], block)

    def _put(self, name: str, body: bytes) -> Answer:
        digest = hashlib.sha256(body).hexdigest()
        if digest != name:
            return _error(400, f"the body's SHA-256 is {digest}: PUT it to {BLOCKS_PATH}{digest}")
        known = name in self._blocks
        if not known:
            if len(self._blocks) >= self._max_blocks:
                return _error(507, f"full: vault.MaxBlocks is {self._max_blocks}; raise it")
            self._blocks[name] = body
            self._bytes += len(body)
        made = {"block": name, "bytes": len(body)}
        return Answer(200 if known else 201, [_JSON], _encode(made))


def _error(status: int, error: str, *headers: tuple[bytes, bytes]) -> Answer:
    return Answer(status, [_JSON, *headers], _encode({"status": status, "error": error}))


def _not_allowed(method: str, allowed: tuple[str, ...]) -> Answer:
    allow = ", ".join(allowed)
    return _error(405, f"{method} does nothing here; {allow} do", (b"Allow", allow.encode()))
