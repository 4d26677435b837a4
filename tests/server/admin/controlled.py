"""A server that keeps what its control plane has it do."""

import asyncio
from collections.abc import Mapping
from typing import Any

STATUS = {"pid": 1, "uptime": 2.5}


class Server:
    """Keeps what it is asked to do, and refuses if it is told to."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.did: list[object] = []
        self.refusal = refusal

    def do(self, what: object) -> None:
        """Keep `what`, or refuse it."""
        if self.refusal is not None:
            raise self.refusal
        self.did.append(what)

    def status(self) -> Mapping[str, Any]:
        """Give the status."""
        return STATUS

    def set_gate(self, open_: bool) -> None:
        """Set the gate."""
        self.do(open_)

    def set_rpc_gate(self, which: str, open_: bool) -> None:
        """Set one of RPC's gates."""
        self.do((which, open_))

    def recycle(self) -> None:
        """Recycle."""
        self.do("recycle")

    def stop_pool(self) -> None:
        """Stop the pool."""
        self.do("stop_pool")

    def start_pool(self) -> None:
        """Start the pool."""
        self.do("start_pool")

    def set(self, text: str) -> Mapping[str, Any]:
        """Set a setting."""
        self.do(text)
        return {"setting": "x"}

    def signal_worker(self, what: str) -> list[int]:
        """Signal a worker."""
        self.do(what)
        return [7]

    async def apply_hotfix(self, name: str) -> Mapping[str, Any]:
        """Install, which takes a moment."""
        await asyncio.sleep(0)
        self.do(name)
        return {"hotfix": name}

    async def iis_reset(self) -> float:
        """Reset, which takes a moment."""
        await asyncio.sleep(0)
        self.do("iis_reset")
        return 1.23456
