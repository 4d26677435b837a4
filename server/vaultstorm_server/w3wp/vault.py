"""The vault: the ISAPI that keeps the agents' blocks and snapshots.

No description of the real AeXRSVault protocol is public (TECH39579 names the ISAPI and its
interface entries only): paths, methods and answers are our own.
"""

import hashlib
import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from vaultstorm_server.settings import Vault as Settings
from vaultstorm_server.w3wp.answers import (
    Answer,
    NotAllowed,
    Refused,
    json,
    octets,
    without_body,
)
from vaultstorm_server.w3wp.interface_calls import InterfaceCalls
from vaultstorm_server.w3wp.interfaces import Entry, ReleasedEntry, UnknownInterface
from vaultstorm_server.w3wp.manifest import DIGEST, blocks_of
from vaultstorm_server.w3wp.store import (
    ConflictError,
    DamagedError,
    FullError,
    MissingBlocks,
    Store,
)

BASE: Final = "/AeXRSVault"
STATUS_PATH: Final = f"{BASE}/status"
CHUNK: Final = 32 << 10
"""Bytes that a method reads or writes between two touches of its entry."""

_SNAPSHOT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")

Method = Callable[[Entry, str, bytes], Answer]


class Vault:
    """The methods. Any number of threads may call `handle` at once.

    Args:
        settings: of the vault.
        calls: the interfaces.
        store: the blocks and the snapshots.
        keeping: is told, on the thread of the method, before the store is changed.
        facts: gives what the status shows of the process beside them.
        waiting: what a thread is inside of while it waits for the disk, so that another can work.
    """

    def __init__(
        self,
        settings: Settings,
        calls: InterfaceCalls,
        store: Store,
        keeping: Callable[[], None],
        facts: Callable[[], dict[str, Any]],
        waiting: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._settings = settings
        self._calls = calls
        self._store = store
        self._keeping = keeping
        self._facts = facts
        self._waiting = waiting
        self._methods: dict[str, dict[str, Method]] = {
            "blocks": {"GET": self._get_block, "PUT": self._put_block},
            "snapshots": {"GET": self._get_snapshot, "PUT": self._commit},
            "verify": {"POST": self._verify},
        }

    def handle(self, method: str, target: str, body: bytes) -> Answer:
        """Run one method, and answer whatever comes of it.

        A call to open an interface waits for as long as the table is full.
        """
        try:
            answer = self._route("GET" if method == "HEAD" else method, path_of(target), body)
        except Refused as refused:
            answer = refused.answer
        except UnknownInterface as error:
            answer = _unknown(str(error))
        except ReleasedEntry as error:
            answer = _exception(f"{error}: TECH39579")
        except Exception as error:  # a bug of ours
            import traceback

            traceback.print_exc()
            answer = _exception(repr(error))
        return without_body(answer) if method == "HEAD" else answer

    @property
    def unhealthy(self) -> str | None:
        """What it reports by HSE_REQ_REPORT_UNHEALTHY; None while it is well."""
        if not self._settings.ReportUnhealthy or not self._calls.waiting:
            return None
        return f"all {self._settings.MaxInterfaces} interface entries are taken"

    def _route(self, method: str, path: str, body: bytes) -> Answer:
        if path == STATUS_PATH:
            return self._status(method)
        base, *steps = path.removeprefix("/").split("/")
        if f"/{base}" != BASE or steps[:1] != ["interfaces"]:
            raise _nothing_at(path)
        if ".." in steps or "." in steps:
            raise Refused(400, "bad_name", f"{path} leads out of where it begins: write it plainly")
        match steps[1:]:
            case []:
                return self._open(method)
            case [name]:
                return self._close(method, name)
            case [name, "blocks" | "snapshots" as kind, what]:
                return self._inside(method, name, kind, what, body)
            case [name, "snapshots", what, "verify"]:
                return self._inside(method, name, "verify", what, body)
        raise _nothing_at(path)

    def _status(self, method: str) -> Answer:
        _allow(method, ("GET",))
        kept, entries = self._store.statistics(), self._calls.entries
        return json(
            200,
            {
                "service": "AeXRSVault",
                **self._facts(),
                "blocks": kept.blocks,
                "bytes": kept.bytes,
                "snapshots": kept.snapshots,
                "interfaces": {
                    "entries": entries.size,
                    "peak": entries.peak,
                    "max": self._settings.MaxInterfaces,
                    "threads_held": self._calls.waiting,
                },
            },
        )

    # Interfaces.

    def _open(self, method: str) -> Answer:
        _allow(method, ("POST",))
        return json(201, {"interface": self._calls.open()})

    def _close(self, method: str, name: str) -> Answer:
        _allow(method, ("DELETE",))
        self._calls.close(name)
        return json(200, {"interface": name, "closed": True})

    def _inside(self, method: str, name: str, kind: str, what: str, body: bytes) -> Answer:
        """Run a method that is called on an interface."""
        methods = self._methods[kind]
        _allow(method, tuple(methods))
        if kind == "blocks":
            what = what.lower()
            if not DIGEST.fullmatch(what):
                error = f"{what!r} names no block: the 64 hex digits of its SHA-256 do"
                raise Refused(400, "bad_name", error)
        elif not _SNAPSHOT.fullmatch(what):
            error = (
                f"{what!r} names no snapshot in the vault: 1 to 128 letters, digits, "
                "dots, hyphens and underscores do, the first a letter or a digit"
            )
            raise Refused(400, "bad_name", error)
        with self._calls.entered(name) as entry:
            try:
                return methods[method](entry, what, body)
            except OSError as error:
                raise Refused(500, "disk", f"the vault's disk says: {error}") from error

    # Blocks.

    def _put_block(self, entry: Entry, name: str, block: bytes) -> Answer:
        longest = self._settings.MaxBlockSize
        if len(block) > longest:
            error = f"a block of {len(block)} bytes, where vault.MaxBlockSize is {longest}: cut it"
            raise Refused(413, "too_large", error)
        digest = hashlib.sha256(block).hexdigest()
        if digest != name:
            error = f"the body's SHA-256 is {digest}: PUT it there"
            raise Refused(400, "wrong_digest", error)
        self._work(entry, len(block))
        self._keeping()
        try:
            with self._waiting():
                made = self._store.put(name, block)
        except FullError as error:
            raise _full(error) from error
        return json(201 if made else 200, {"block": name, "bytes": len(block)})

    def _get_block(self, entry: Entry, name: str, _: bytes) -> Answer:
        block = self._read(name)
        if block is None:
            raise Refused(404, "unknown_block", f"no block {name} is kept; PUT it first")
        self._work(entry, len(block))
        return octets(block)

    def _read(self, name: str) -> bytes | None:
        try:
            block = self._store.cached(name)
            if block is None:
                with self._waiting():
                    block = self._store.get(name)
            return block
        except DamagedError as error:
            raise Refused(500, "damaged", str(error)) from error

    # Snapshots.

    def _commit(self, entry: Entry, name: str, body: bytes) -> Answer:
        try:
            blocks = blocks_of(body)
        except ValueError as error:
            raise Refused(400, "malformed_manifest", str(error)) from error
        self._work(entry, len(body))
        self._keeping()
        try:
            with self._waiting():
                made = self._store.commit(name, body, blocks)
        except MissingBlocks as error:
            said = f"{len(error.names)} of the blocks are not kept: PUT them first"
            raise Refused(409, "missing_blocks", said, missing=list(error.names)) from error
        except ConflictError as error:
            said = f"another snapshot is kept as {name}: choose another name"
            raise Refused(409, "other_snapshot", said) from error
        except FullError as error:
            raise _full(error) from error
        kept = {"snapshot": name, "blocks": len(blocks), "bytes": len(body)}
        return json(201 if made else 200, kept)

    def _get_snapshot(self, entry: Entry, name: str, _: bytes) -> Answer:
        manifest, _blocks = self._snapshot(name)
        self._work(entry, len(manifest))
        return octets(manifest)

    def _verify(self, entry: Entry, name: str, _: bytes) -> Answer:
        """Read every block of a snapshot again, and hold it against its name."""
        _manifest, blocks = self._snapshot(name)
        damaged, size = [], 0
        for digest in dict.fromkeys(blocks):
            try:
                with self._waiting():
                    block = self._store.get(digest)
            except DamagedError:
                block = None
            if block is None:
                damaged.append(digest)
            else:
                size += len(block)
                self._work(entry, len(block))
        told = {"snapshot": name, "blocks": len(blocks), "bytes": size, "damaged": damaged}
        return json(200, told)

    def _snapshot(self, name: str) -> tuple[bytes, list[str]]:
        with self._waiting():
            manifest = self._store.snapshot(name)
        if manifest is None:
            raise Refused(404, "unknown_snapshot", f"no snapshot {name} is kept; PUT it first")
        try:
            return manifest, blocks_of(manifest)
        except ValueError as error:  # none was kept that was not read before
            said = f"snapshot {name} is no manifest any more: {error}"
            raise Refused(500, "damaged", said) from error

    def _work(self, entry: Entry, size: int) -> None:
        """Take the time that the disk takes, using the entry again and again meanwhile.

        Raises:
            ReleasedEntry: it has been released.
        """
        rate = self._settings.DiskRate
        while rate and size > 0:
            with self._waiting():
                time.sleep(min(size, CHUNK) / rate)
            self._calls.touch(entry)
            size -= CHUNK
        self._calls.touch(entry)


def path_of(target: str) -> str:
    """Give the path of a request's target, which may be in absolute form (RFC 9112, 3.2.2)."""
    path = target.partition("?")[0]
    return path if path.startswith("/") else "/" + path.partition("://")[2].partition("/")[2]


def _allow(method: str, allowed: tuple[str, ...]) -> None:
    if method not in allowed:
        there = tuple(
            name for one in allowed for name in ((one, "HEAD") if one == "GET" else (one,))
        )
        raise NotAllowed(method, there)


def _nothing_at(path: str) -> Refused:
    there = f"{STATUS_PATH} and {BASE}/interfaces are"
    return Refused(404, "nothing_there", f"nothing is at {path}; {there}")


def _unknown(name: str) -> Answer:
    error = (
        f"no interface {name} is open in this worker process: it was closed, was released, or "
        f"ended with another process; POST {BASE}/interfaces opens one"
    )
    return json(404, {"status": 404, "code": "unknown_interface", "error": error})


def _exception(error: str) -> Answer:
    return json(500, {"status": 500, "code": "exception", "error": error})


def _full(error: FullError) -> Refused:
    return Refused(507, "full", str(error))
