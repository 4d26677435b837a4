"""The installation of a hotfix on a server that runs: its article's steps, one after the other."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import msgspec
import structlog

from vaultstorm_server.hotfixes import HOTFIXES, Do, Hotfix, find
from vaultstorm_server.iis_reset import RETRY_AFTER, IisReset, Note
from vaultstorm_server.settings import Settings
from vaultstorm_server.w3svc.pool import Pool
from vaultstorm_wire.errors import MachineError

log = structlog.get_logger()


class Rpc(Protocol):
    """What a restart of the computer does to RPC."""

    def stop(self) -> None:
        """Reset every connection and forget every object; the port stays the same."""

    def start(self, settings: Settings) -> None:
        """Listen again, with the settings and the hotfixes that the computer has."""


class Installation:
    """Installs hotfixes, under the rules of an `IisReset`: one at a time, and not at the end.

    Requests under way are answered, workers that hang are killed after the grace of a reset, and
    afterwards everything is on. A server that is stopped in the middle starts nothing again.

    Args:
        settings: what the server was started with.
        reset: stops and starts everything.
        pool: whose workers and whose request queue are replaced.
        rpc: what a restart of the computer stops and starts beside IIS; None without RPC.
        command: writes the workers' command.
        note: journals an event and its detail.
    """

    def __init__(
        self,
        settings: Settings,
        reset: IisReset,
        pool: Pool,
        rpc: Rpc | None,
        command: Callable[[Settings], Sequence[str]],
        note: Note,
    ) -> None:
        self._settings = settings
        self._reset = reset
        self._pool = pool
        self._rpc = rpc
        self._iis_stopped = False
        self._command = command
        self._note = note

    @property
    def installed(self) -> list[str]:
        """The names of the hotfixes that the server has."""
        return [name for name, hotfix in HOTFIXES.items() if _read(self._settings, hotfix)]

    async def apply(self, name: str) -> float:
        """Install a hotfix, and give the seconds it took. A caller that goes away does not end it.

        Raises:
            UsageError: there is no such hotfix.
            MachineError: it is installed, something else is under way, or the server is stopping or
                begins to.
        """
        name = find(name)
        self._reset.check()
        if name in self.installed:
            raise MachineError(f"{name} is installed already")
        what = f"the installation of {name}"
        return await self._reset.exclusively(what, lambda: self._install(name))

    async def _install(self, name: str) -> None:
        hotfix = HOTFIXES[name]
        for number, step in enumerate(hotfix.steps, 1):
            detail = f"{name} {number}/{len(hotfix.steps)}: {step.text}"
            log.info("hotfix_step", step=detail)
            self._note("hotfix_step", detail)
            await DOING[step.do](self, hotfix)
            if self._reset.stopping:
                self._note("hotfix_failed", f"{name}: the server is stopping")
                raise MachineError(f"the server was stopped before {name} was installed")
        log.info("hotfix_applied", name=name)
        self._note("hotfix_applied", name)

    async def _stop_service(self, _: Hotfix) -> None:
        await self._reset.stop_pool()

    async def _stop_iis(self, _: Hotfix) -> None:
        await self._reset.stop_iis()
        self._iis_stopped = True

    async def _nothing(self, _: Hotfix) -> None:
        """Do what is done to no part of the server."""

    async def _replace_vault(self, hotfix: Hotfix) -> None:
        self._settings = _with(self._settings, hotfix)
        self._pool.use(self._command(self._settings))

    async def _replace_http_sys(self, hotfix: Hotfix) -> None:
        self._settings = _with(self._settings, hotfix)
        self._pool.replace_http_sys(1)

    async def _replace_ole32(self, hotfix: Hotfix) -> None:
        self._settings = _with(self._settings, hotfix)

    async def _start_iis(self, _: Hotfix) -> None:
        self._iis_stopped = False
        await self._reset.start_iis()

    async def _start_service(self, _: Hotfix) -> None:
        self._reset.start_pool()

    async def _restart_computer(self, hotfix: Hotfix) -> None:
        if self._rpc is not None:
            self._rpc.stop()
        if not self._iis_stopped:
            await self._stop_iis(hotfix)
        if self._reset.stopping:
            return
        self._reset.start_pool()
        await self._start_iis(hotfix)
        await self._start_rpc()

    async def _start_rpc(self) -> None:
        """Have RPC served again, as soon as nobody else has its port."""
        robbed = False
        while self._rpc is not None and not self._reset.stopping:
            try:
                self._rpc.start(self._settings)
            except OSError as error:
                if not robbed:
                    log.error("rpc_start_failed", error=error.strerror)
                robbed = True
                await asyncio.sleep(RETRY_AFTER)
            else:
                return


DOING: Final[dict[Do, Callable[[Installation, Hotfix], Awaitable[None]]]] = {
    Do.STOP_SERVICE: Installation._stop_service,
    Do.STOP_IIS: Installation._stop_iis,
    Do.NOTHING: Installation._nothing,
    Do.REPLACE_VAULT: Installation._replace_vault,
    Do.REPLACE_HTTP_SYS: Installation._replace_http_sys,
    Do.REPLACE_OLE32: Installation._replace_ole32,
    Do.START_IIS: Installation._start_iis,
    Do.START_SERVICE: Installation._start_service,
    Do.RESTART_COMPUTER: Installation._restart_computer,
}


def _read(settings: Settings, hotfix: Hotfix) -> int:
    section, _, key = hotfix.path.partition(".")
    value: int = getattr(getattr(settings, section), key)
    return value


def _with(settings: Settings, hotfix: Hotfix) -> Settings:
    """Give the settings of a server that has a hotfix."""
    section, _, key = hotfix.path.partition(".")
    changed = msgspec.structs.replace(getattr(settings, section), **{key: 1})
    return msgspec.structs.replace(settings, **{section: changed})
