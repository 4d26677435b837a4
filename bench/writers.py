"""Agents that put blocks and commit snapshots without a pause, and remember what they were told."""

import contextlib
import hashlib
import json
import random
import threading
from collections.abc import Iterator
from typing import Final

from bench.children import BenchError
from bench.interface import Interface, Refused

BLOCKS: Final = 4
"""Of a snapshot."""
SIZES: Final = (0, 1, 4096, 4096, 4096, 16384, 65536)
COMMON: Final = 64
"""Blocks that all agents have in common: a quarter of what they put is of these."""
_PAUSE_S: Final = 0.01
_TIMEOUT_S: Final = 10.0


class Acknowledged:
    """What a vault has said it keeps. Thread-safe.

    Attributes:
        blocks: by name, what `block_of` makes them of again.
        snapshots: the manifests by their names.
    """

    def __init__(self) -> None:
        self.blocks: dict[str, str] = {}
        self.snapshots: dict[str, bytes] = {}
        self._changed = threading.Condition()
        self._count = 0

    def block(self, name: str, source: str) -> None:
        """Remember a block."""
        with self._changed:
            self.blocks[name] = source
            self._count += 1
            self._changed.notify_all()

    def snapshot(self, name: str, manifest: bytes) -> None:
        """Remember a snapshot."""
        with self._changed:
            self.snapshots[name] = manifest
            self._count += 1
            self._changed.notify_all()

    def wait_for_more(self, timeout: float) -> None:
        """Wait for the next acknowledgement.

        Raises:
            BenchError: none came.
        """
        with self._changed:
            before = self._count
            if not self._changed.wait_for(lambda: self._count > before, timeout):
                raise BenchError(f"nothing was acknowledged for {timeout:g} s")


def block_of(source: str) -> bytes:
    """Make a block again."""
    chance = random.Random(source)
    return chance.randbytes(chance.choice(SIZES))


class Writers:
    """Some agents, each with a thread and a connection; a lost one is replaced at once.

    Args:
        agents: how many.
        seed: of everything they put.
        acknowledged: where they write down what they were told.
    """

    def __init__(self, agents: int, seed: int, acknowledged: Acknowledged) -> None:
        self._seed = seed
        self._acknowledged = acknowledged
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(agent,), daemon=True)
            for agent in range(agents)
        ]
        self._failed: list[BaseException] = []
        self.port = 0
        """Where the server is at the moment; 0: nowhere."""

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Have them write until the block ends.

        Raises:
            BenchError: one of them met what no kill explains.
        """
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()
        if self._failed:
            raise BenchError(f"an agent ended: {self._failed[0]!r}") from self._failed[0]

    def _run(self, agent: int) -> None:
        lives = 0
        try:
            while not self._stop.is_set():
                lives += 1
                with contextlib.suppress(OSError, ValueError, Refused):
                    self._live(f"{agent}-{lives}")
                self._stop.wait(_PAUSE_S)
        except BaseException as error:
            self._failed.append(error)

    def _live(self, life: str) -> None:
        """Write over one connection, until that ends or the server refuses something.

        An interface ends with its worker process, so 404 is one of the answers to be expected.
        """
        if not self.port:
            return
        chance = random.Random(f"{self._seed} {life}")
        with Interface(self.port, _TIMEOUT_S) as vault:
            snapshot = 0
            while not self._stop.is_set():
                snapshot += 1
                names = []
                for number in range(BLOCKS):
                    source = f"{self._seed} {life} {snapshot} {number}"
                    if chance.random() < 0.25:
                        source = f"{self._seed} common {chance.randrange(COMMON)}"
                    block = block_of(source)
                    name = hashlib.sha256(block).hexdigest()
                    vault.put(name, block)
                    self._acknowledged.block(name, source)
                    names.append(name)
                manifest = json.dumps({"blocks": names}).encode()
                vault.commit(f"{life}-{snapshot}", manifest)
                self._acknowledged.snapshot(f"{life}-{snapshot}", manifest)
