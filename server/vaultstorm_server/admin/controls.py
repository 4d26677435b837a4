"""What can be done to a running server: the gate, its pool, its workers, `iisreset`, hotfixes."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from vaultstorm_server.admin import assignment
from vaultstorm_server.afd.listener import Listener
from vaultstorm_server.hotfixes import HOTFIXES, find
from vaultstorm_server.iis_reset import IisReset
from vaultstorm_server.installation import Installation
from vaultstorm_server.settings import AppPool
from vaultstorm_server.w3svc.pool import Pool
from vaultstorm_wire.errors import MachineError

if TYPE_CHECKING:
    from vaultstorm_server.rpcss.service import Rpcss


class Controls:
    """Does what the control plane is asked for.

    While the server is being reset, gets a hotfix or stops, the pool is not touched: what would be
    done to it then is undone a moment later.

    Args:
        status: gives the state of every component.
        listener: whose gate is set.
        rpc: likewise; None if the server speaks no RPC.
        pool: the application pool.
        settings: what the pool was started with.
        reset: stops and starts everything.
        installation: of hotfixes.
        note: journals an event and its detail.
    """

    def __init__(
        self,
        status: Callable[[], Mapping[str, Any]],
        listener: Listener,
        rpc: "Rpcss | None",
        pool: Pool,
        settings: AppPool,
        reset: IisReset,
        installation: Installation,
        note: Callable[[str, str | None], None],
    ) -> None:
        self.status = status
        self._listener = listener
        self._rpc = rpc
        self._pool = pool
        self._settings = settings
        self._reset = reset
        self._installation = installation
        self._note = note

    def set_gate(self, open_: bool) -> None:
        """Let the application accept, or hold it back; the accept queue goes on filling."""
        self._listener.set_gate(open_)
        self._note("gate_open" if open_ else "gate_closed", None)

    def set_rpc_gate(self, which: str, open_: bool) -> None:
        """Let the resolver (``resolver``) or every object exporter (``exporter``) accept, or not.

        Raises:
            MachineError: the server speaks no RPC.
        """
        if self._rpc is None:
            raise MachineError("this server speaks no RPC: start it with --rpc-port")
        self._rpc.set_gate(which, open_)
        self._note("gate_open" if open_ else "gate_closed", which)

    def recycle(self) -> None:
        """Recycle all workers, on demand.

        Raises:
            MachineError: the pool is off.
        """
        self._reset.check()
        if self._pool.state != "running":
            raise MachineError(
                f"the pool is {self._pool.state}: start it with `vaultstorm ctl start-pool`"
            )
        self._pool.recycle()

    def stop_pool(self) -> None:
        """Turn the pool off: 503 for all, until it is started."""
        self._reset.check()
        self._pool.stop_pool()

    def start_pool(self) -> None:
        """Turn the pool on, also after rapid-fail protection."""
        self._reset.check()
        self._pool.start_pool()

    def set(self, text: str) -> dict[str, Any]:
        """Change one setting of the pool, ``apppool.Key=value``, and say what it is then.

        Raises:
            UsageError: it is no such assignment.
        """
        self._reset.check()
        self._settings, key = assignment.read(text, self._settings)
        self._pool.configure(self._settings)
        self._note("setting_changed", text)
        return assignment.shown(self._settings, key)

    def signal_worker(self, what: str) -> list[int]:
        """Have the oldest worker that serves killed (``kill``) or stopped (``hang``).

        ``resume`` goes to all workers.

        Returns:
            The pids of those it was done to.

        Raises:
            MachineError: there is none.
        """
        self._reset.check()
        pids = self._pool.signal_worker(what)
        if not pids:
            raise MachineError(f"no worker process is there to {what}: see the pool in the status")
        return pids

    async def iis_reset(self) -> float:
        """Stop and start everything; give the seconds it took."""
        return await self._reset.run()

    async def apply_hotfix(self, name: str) -> dict[str, Any]:
        """Install a hotfix, and say what was done, and in how many seconds.

        Raises:
            UsageError: there is none of this name.
            MachineError: the server has it already, or it cannot be installed at the moment.
        """
        seconds = await self._installation.apply(name)
        known = find(name)
        steps = [step.text for step in HOTFIXES[known].steps]
        return {"hotfix": known, "steps": steps, "seconds": round(seconds, 3)}
