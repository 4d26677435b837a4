"""What is done to a running server, and when it is not: with small doubles of its parts."""

import asyncio
from typing import Any, cast

import pytest

from vaultstorm_server.admin.controls import Controls
from vaultstorm_server.afd.listener import Listener
from vaultstorm_server.iis_reset import IisReset
from vaultstorm_server.installation import Installation
from vaultstorm_server.rpcss.service import Rpcss
from vaultstorm_server.settings import AppPool
from vaultstorm_server.w3svc.pool import Pool
from vaultstorm_wire.errors import MachineError, UsageError


class Parts:
    """Stands in for listener, pool and reset: keeps what is asked of them, in order."""

    def __init__(self) -> None:
        self.did: list[object] = []
        self.busy = False
        self.pids = [7]
        self.state = "running"

    def set_gate(self, open: bool) -> None:
        """The listener's."""
        self.did.append(("gate", open))

    def recycle(self) -> None:
        """The pool's."""
        self.did.append("recycle")

    def stop_pool(self) -> None:
        """The pool's."""
        self.did.append("stop_pool")

    def start_pool(self) -> None:
        """The pool's."""
        self.did.append("start_pool")

    def configure(self, settings: AppPool) -> None:
        """The pool's."""
        self.did.append(settings)

    def signal_worker(self, what: str) -> list[int]:
        """The pool's."""
        self.did.append(what)
        return self.pids

    def check(self) -> None:
        """The reset's."""
        if self.busy:
            raise MachineError("an iisreset is under way")

    async def run(self) -> float:
        """The reset's."""
        self.check()
        return 2.0

    async def apply(self, name: str) -> float:
        """The installation's."""
        self.check()
        self.did.append(name)
        return 2.00049

    def note(self, name: str, detail: str | None) -> None:
        """The journal's."""
        self.did.append((name, detail))


class Rpc:
    """Stands in for the RPC service."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def set_gate(self, which: str, open: bool) -> None:
        """Keep which gate."""
        self._parts.did.append((which, open))


def controls(parts: Parts, speaks_rpc: bool = True) -> Controls:
    """Make the controls of these parts."""
    return Controls(
        lambda: {"pid": 1},
        cast(Listener, parts),
        cast(Rpcss, Rpc(parts)) if speaks_rpc else None,
        cast(Pool, parts),
        AppPool(PingInterval=7.0),
        cast(IisReset, parts),
        cast(Installation, parts),
        parts.note,
    )


@pytest.mark.parametrize("open_, name", [(True, "gate_open"), (False, "gate_closed")])
def test_the_gate_is_set_and_journalled_whatever_goes_on(open_: bool, name: str) -> None:
    """A reset keeps the gate as it is: it may be set while one is under way."""
    parts = Parts()
    parts.busy = True
    controls(parts).set_gate(open_)

    assert parts.did == [("gate", open_), (name, None)]


@pytest.mark.parametrize("which", ["resolver", "exporter"])
def test_the_gates_of_rpc_are_set_and_journalled(which: str) -> None:
    """Each by its name; the gate of port 443 stays as it is."""
    parts = Parts()
    controls(parts).set_rpc_gate(which, False)

    assert parts.did == [(which, False), ("gate_closed", which)]


def test_a_server_without_rpc_has_no_gates_of_it() -> None:
    """It says how to get them."""
    parts = Parts()
    with pytest.raises(MachineError, match="speaks no RPC: start it with --rpc-port"):
        controls(parts, speaks_rpc=False).set_rpc_gate("exporter", True)
    assert parts.did == []


def test_settings_add_up() -> None:
    """What was changed before is kept; each change is journalled as it was written."""
    parts = Parts()
    server = controls(parts)
    first, second = "apppool.PeriodicRestartRequests=5", "apppool.PeriodicRestartTime=1s"
    assert server.set(first)["value"] == 5
    assert server.set(second)["unit"] == "min"

    assert parts.did == [
        AppPool(PingInterval=7.0, PeriodicRestartRequests=5),
        ("setting_changed", first),
        AppPool(PingInterval=7.0, PeriodicRestartRequests=5, PeriodicRestartTime=1.0),
        ("setting_changed", second),
    ]


def test_a_wrong_setting_changes_nothing() -> None:
    """The pool hears nothing of it."""
    parts = Parts()
    with pytest.raises(UsageError):
        controls(parts).set("apppool.MaxProcesses=0")
    assert parts.did == []


def test_a_signal_without_a_worker_is_said() -> None:
    """Not every moment has a worker that serves."""
    parts = Parts()
    assert controls(parts).signal_worker("kill") == [7]
    parts.pids = []
    with pytest.raises(MachineError, match="no worker process is there to hang"):
        controls(parts).signal_worker("hang")


@pytest.mark.parametrize("state", ["stopped", "disabled"])
def test_a_pool_that_is_off_cannot_be_recycled(state: str) -> None:
    """It is said what it is, and how it is started."""
    parts = Parts()
    parts.state = state
    with pytest.raises(MachineError, match=f"the pool is {state}: start it with .*start-pool"):
        controls(parts).recycle()
    assert parts.did == []


@pytest.mark.parametrize(
    "call, arguments",
    [
        ("recycle", ()),
        ("stop_pool", ()),
        ("start_pool", ()),
        ("set", ("apppool.MaxProcesses=2",)),
        ("signal_worker", ("kill",)),
    ],
)
def test_the_pool_is_left_alone_during_a_reset(call: str, arguments: tuple[Any, ...]) -> None:
    """What would be done to it is undone a moment later: better to say so."""
    parts = Parts()
    getattr(controls(parts), call)(*arguments)
    assert parts.did != []
    parts.did.clear()

    parts.busy = True
    with pytest.raises(MachineError, match="iisreset is under way"):
        getattr(controls(parts), call)(*arguments)
    assert parts.did == []


def test_a_reset_is_the_resets_business() -> None:
    """Its seconds are handed on, and so is its refusal."""
    parts = Parts()
    assert asyncio.run(controls(parts).iis_reset()) == 2.0
    parts.busy = True
    with pytest.raises(MachineError):
        asyncio.run(controls(parts).iis_reset())
    assert controls(parts).status() == {"pid": 1}


def test_a_hotfix_is_the_installations_business() -> None:
    """What is told are the steps of its article; a refusal is handed on."""
    parts = Parts()
    told = asyncio.run(controls(parts).apply_hotfix("kb908739"))
    assert told == {
        "hotfix": "KB908739",
        "steps": ["stop IIS", "replace Http.sys", "restart the computer"],
        "seconds": 2.0,
    }
    assert parts.did == ["kb908739"]
    parts.busy = True
    with pytest.raises(MachineError):
        asyncio.run(controls(parts).apply_hotfix("KB908739"))
