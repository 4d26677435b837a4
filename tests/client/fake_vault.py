"""A small vault in memory: what agents are tried against where the real one is not the point."""

import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.support.misbehaving import Behaviour, Peer

Said = tuple[int, bytes]
Twist = Callable[[str, str, Said], Said | None]
"""Given method and path and what would be said, says what is said; None: nothing more, for ever."""

_PATH = re.compile(
    r"/interfaces(?:/(?P<interface>[^/]+)(?:/(?P<kind>blocks|snapshots)/(?P<name>[^/]+)(?P<verify>/verify)?)?)?"
)


class FakeVault:
    """Keeps what it is given.

    Args:
        base: its path.
        twist: changes what it says.

    Attributes:
        calls: every call as ``METHOD kind``, in order.
        opened: how many interfaces have been opened.
        blocks: by their SHA-256.
        snapshots: manifests by name.
        put: how often each block was put.
    """

    def __init__(self, base: str = "/AeXRSVault", twist: Twist | None = None) -> None:
        self.base = base
        self.twist = twist
        self.calls: list[str] = []
        self.opened = 0
        self.open: set[str] = set()
        self.blocks: dict[str, bytes] = {}
        self.snapshots: dict[str, bytes] = {}
        self.put: Counter[str] = Counter()
        self._lock = threading.Lock()

    def answer(self, method: str, target: str, body: bytes) -> Said | None:
        """Answer one call as the vault's protocol has it, twisted at last."""
        assert target.startswith(self.base)
        path = target.removeprefix(self.base)
        with self._lock:
            said = self._call(method, path, body)
            return said if self.twist is None else self.twist(method, path, said)

    def _call(self, method: str, path: str, body: bytes) -> Said:
        found = _PATH.fullmatch(path)
        assert found is not None, path
        interface, kind, name = found["interface"], found["kind"], found["name"]
        what = "verify" if found["verify"] else kind or ("interface" if interface else "interfaces")
        self.calls.append(f"{method} {what}")
        if interface is None:
            self.opened += 1
            self.open.add(f"i{self.opened}")
            return says(201, interface=f"i{self.opened}")
        if interface not in self.open:
            return refuses(404, "unknown_interface")
        if kind is None:
            self.open.discard(interface)
            return says(200, interface=interface, closed=True)
        if kind == "blocks":
            return self._block(method, name, body)
        return self._verify(name) if found["verify"] else self._snapshot(method, name, body)

    def _block(self, method: str, name: str, body: bytes) -> Said:
        if method == "GET":
            return (
                (200, self.blocks[name]) if name in self.blocks else refuses(404, "unknown_block")
            )
        assert hashlib.sha256(body).hexdigest() == name
        known = name in self.blocks
        self.blocks[name] = body
        self.put[name] += 1
        return says(200 if known else 201, block=name, bytes=len(body))

    def _snapshot(self, method: str, name: str, body: bytes) -> Said:
        if method == "GET":
            kept = self.snapshots.get(name)
            return refuses(404, "unknown_snapshot") if kept is None else (200, kept)
        missing = [block for block in json.loads(body)["blocks"] if block not in self.blocks]
        if missing:
            return refuses(409, "missing_blocks", missing=missing)
        if self.snapshots.get(name, body) != body:
            return refuses(409, "other_snapshot")
        known = name in self.snapshots
        self.snapshots[name] = body
        return says(200 if known else 201, snapshot=name, blocks=1, bytes=1)

    def _verify(self, name: str) -> Said:
        if name not in self.snapshots:
            return refuses(404, "unknown_snapshot")
        blocks = json.loads(self.snapshots[name])["blocks"]
        damaged = [
            block
            for block in dict.fromkeys(blocks)
            if hashlib.sha256(self.blocks.get(block, b"")).hexdigest() != block
        ]
        return says(200, snapshot=name, blocks=len(blocks), bytes=0, damaged=damaged)


def says(status: int, /, **content: Any) -> Said:
    """Say something in JSON."""
    return status, json.dumps(content).encode()


def refuses(status: int, code: str, **more: Any) -> Said:
    """Refuse a call."""
    return says(status, status=status, code=code, error="for people", **more)


def serving(vault: FakeVault, instead: Callable[[Peer, int], bool] | None = None) -> Behaviour:
    """Serve a vault to each connection, one request after the other.

    Args:
        vault: answers.
        instead: is given each request's connection, and how many calls came before it; True if it
            has dealt with it, which is the end of the connection.
    """

    def behave(peer: Peer) -> None:
        while (request := peer.request()) is not None:
            head, _, body = request.partition(b"\r\n\r\n")
            method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
            before = len(vault.calls)
            said = vault.answer(method, target, body)
            if instead is not None and instead(peer, before):
                return
            if said is None:
                peer.silence()
                return
            status, content = said
            head = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(content))
            peer.say(head + content)

    return behave
