"""The front process: AFD.SYS, HTTP.SYS, W3SVC and RPCSS on one loop, from ready line to end.

What is slow to import (TLS, the control plane) is imported while the workers start.
"""

import asyncio
import gc
import os
import signal
import socket
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog
import uvloop
from msgspec.structs import replace

from vaultstorm_server import clock, stdin
from vaultstorm_server.admin import bind as admin_bind
from vaultstorm_server.afd.bind import reachable
from vaultstorm_server.afd.listener import open_listener
from vaultstorm_server.iis_reset import DRAIN_GRACE, POOL_GRACE, IisReset
from vaultstorm_server.installation import Installation
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.sampler import Sampler
from vaultstorm_server.settings import Settings
from vaultstorm_server.vault_directory import vault_directory
from vaultstorm_server.w3svc.command import worker_command
from vaultstorm_server.w3svc.pool import Pool
from vaultstorm_wire.errors import MachineError
from vaultstorm_wire.journal import Event, Sample

if TYPE_CHECKING:
    from vaultstorm_server.rpcss.service import Rpcss

log = structlog.get_logger()

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True)
class ServeOptions:
    """What `serve` is asked for.

    Attributes:
        host: the address to listen on.
        port: 0 for any that is free.
        settings: of every component.
        tls_dir: where the certificates of our own CA are kept.
        cert: the user's own certificate chain, with `key`; None for our own.
        key: its private key.
        journal: the directory of the journals; None for no journal.
        admin_port: of the control plane on 127.0.0.1; 0 for any that is free.
        rpc_port: of RPCSS, on `host`; 0 for any that is free, None for no RPC.
        rpc_asked: it was asked for by number, so that the server is of no use without it.
        until_eof: whether the end of standard input ends the server too.
    """

    host: str
    port: int
    settings: Settings
    tls_dir: Path
    cert: Path | None = None
    key: Path | None = None
    journal: Path | None = None
    admin_port: int = 0
    rpc_port: int | None = None
    rpc_asked: bool = False
    until_eof: bool = False


def serve(options: ServeOptions) -> int:
    """Serve until SIGTERM or SIGINT; give the exit status.

    Raises:
        MachineError: a port, a directory or the workers cannot be had.
        UsageError: the certificate is of no use.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(options))


async def _serve(options: ServeOptions) -> int:
    with ExitStack() as stack:
        front = Front(asyncio.get_running_loop(), options, stack)
        return await front.run()


class Front:
    """The components, wired together.

    Args:
        loop: runs all of them.
        options: what was asked for.
        stack: takes what has to be closed, whichever way this ends.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, options: ServeOptions, stack: ExitStack
    ) -> None:
        settings, journal = options.settings, options.journal
        self._options = options
        self._stop = asyncio.Event()
        self._started = clock.now()
        self._journal = JournalFile(journal, "front", loop)
        stack.callback(self._journal.close)
        self._listener = open_listener(
            loop, options.host, options.port, settings, self._take, self._journal
        )
        stack.callback(self._listener.close)
        self._admin_socket = admin_bind.bind(options.admin_port)
        stack.callback(self._admin_socket.close)
        self._admin_url = admin_bind.url(self._admin_socket)
        self._vault = stack.enter_context(ExitStack())
        for number in SIGNALS:
            loop.add_signal_handler(number, self._signalled, number)
        if options.until_eof:
            stdin.watch(loop, lambda: self._asked_to_stop("end of standard input"))
        directory = self._vault.enter_context(vault_directory(settings.vault.Directory))
        vault = replace(settings.vault, Directory=directory)
        self._settings = replace(settings, vault=vault)
        self._pool = Pool(loop, settings, self._journal, self._command(self._settings))
        stack.callback(self._pool.kill)
        self._pool.start()
        self._load(loop, stack)

    def _load(self, loop: asyncio.AbstractEventLoop, stack: ExitStack) -> None:
        """Import and make what takes long, while the workers start."""
        from vaultstorm_server.admin.controls import Controls
        from vaultstorm_server.admin.server import Admin
        from vaultstorm_server.httpsys import tls
        from vaultstorm_server.httpsys.httperr import ErrorLog
        from vaultstorm_server.httpsys.service import HttpSys

        options = self._options
        http = options.settings.httpsys
        context, self._ca = None, None
        if http.TLS:
            context, self._ca = tls.server_context(
                options.tls_dir, options.host, options.cert, options.key
            )
        beside = options.journal or options.tls_dir
        errors = ErrorLog(Path(http.ErrorLoggingDir or beside), http, loop)
        stack.callback(lambda: errors.close(clock.now()))
        self._http = HttpSys(
            loop,
            http,
            context,
            self._pool.deliver,
            self._journal,
            errors,
            options.settings.apppool.Name,
        )
        self._rpc = self._open_rpc(loop)
        stack.callback(self._close_rpc)
        self._sampler = Sampler(loop, self._journal, self.sample)
        self._reset = IisReset(self._listener, self._http, self._pool, self._event, self._stop)
        self._installation = Installation(
            self._settings, self._reset, self._pool, self._rpc, self._command, self._event
        )
        controls = Controls(
            self.status,
            self._listener,
            self._rpc,
            self._pool,
            options.settings.apppool,
            self._reset,
            self._installation,
            self._event,
        )
        self._admin = Admin(self._admin_socket, controls)
        self._admin.start()

    def _open_rpc(self, loop: asyncio.AbstractEventLoop) -> "Rpcss | None":
        """Listen for RPC: on a port that nobody asked for, only if it can be had."""
        options = self._options
        if options.rpc_port is None:
            return None
        from vaultstorm_server.rpcss.service import Rpcss

        try:
            return Rpcss(loop, options.host, options.rpc_port, options.settings, self._journal)
        except MachineError as error:
            reason = str(error).replace("--port", "--rpc-port")
            if options.rpc_asked:
                raise MachineError(reason) from error
            log.warning("rpc_not_served", reason=reason)
            return None

    def _close_rpc(self) -> None:
        if self._rpc is not None:
            self._rpc.close()

    async def run(self) -> int:
        """Serve, from the ready line to the end of the last worker."""
        stopped = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait((self._pool.ready, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not self._stop.is_set():
            self._pool.ready.result()
            self._event("ready")
            self._sampler.start()
            print_line(self.ready_line())
            gc.freeze()  # what stands here lives as long as the process: no need to go through it
            gc.enable()  # which `vaultstorm serve` has put off
            await stopped
        await self._end()
        return 0

    def ready_line(self) -> bytes:
        """Say where everything is, in one line of JSON."""
        line = {
            "event": "ready",
            "url": self.url,
            "ca": self._ca and _shown(self._ca),
            "pid": os.getpid(),
            "rpc": self._rpc and self._rpc.url,
            "admin": self._admin_url,
            "workers": [worker.pid for worker in self._pool.statistics().workers],
            "journal": self._options.journal and _shown(self._options.journal),
        }
        return msgspec.json.encode(line)

    @property
    def url(self) -> str:
        """Where the server is reached."""
        scheme = "https" if self._options.settings.httpsys.TLS else "http"
        return reachable(scheme, self._listener.host, self._listener.port)

    def status(self) -> dict[str, Any]:
        """Give the state of every component, as mappings, numbers and texts."""
        return {
            "pid": os.getpid(),
            "url": self.url,
            "uptime": round(clock.now() - self._started, 3),
            "hotfixes": self._installation.installed,
            "accept_queue": msgspec.to_builtins(self._listener.statistics()),
            "connections": msgspec.to_builtins(self._http.statistics(), enc_hook=dict),
            "pool": msgspec.to_builtins(self._pool.statistics()),
            "rpc": self._rpc and msgspec.to_builtins(self._rpc.statistics()),
        }

    def sample(self) -> Sample:
        """Give what is held at the moment."""
        accept, pool = self._listener.queue, self._pool.requests
        interfaces, threads_held = self._pool.vault_peak()
        return Sample(
            time=clock.now(),
            free=accept.free,
            queued=accept.queued,
            turned_away=accept.turned_away,
            open=self._http.open,
            waiting=pool.waiting,
            in_flight=pool.held,
            interfaces=interfaces,
            threads_held=threads_held,
            **(self._rpc.sample_values() if self._rpc is not None else {}),
        )

    def _command(self, settings: Settings) -> list[str]:
        return worker_command(settings, self._options.journal)

    def _take(self, sock: socket.socket, peer: str) -> None:
        host, _, port = peer.rpartition(":")
        self._http.take(sock, (host.strip("[]"), int(port)))

    def _event(self, name: str, detail: str | None = None) -> None:
        self._journal.append(Event(time=clock.now(), name=name, detail=detail))

    def _signalled(self, number: signal.Signals) -> None:
        """Stop in good order; the second time, at once."""
        if not self._stop.is_set():
            self._asked_to_stop(number.name)
            return
        self._pool.kill()
        self._event("killed", number.name)
        self._journal.flush()
        self._vault.close()
        os._exit(128 + number)

    def _asked_to_stop(self, by: str) -> None:
        if not self._stop.is_set():
            log.info("stopping", by=by)
            self._event("stopping", by)
            self._stop.set()

    async def _end(self) -> None:
        """Refuse what comes, finish what is under way, end the workers."""
        self._listener.close()
        self._close_rpc()
        await self._reset.ended()
        await self._http.drain(DRAIN_GRACE)
        self._sampler.stop()
        await asyncio.gather(self._pool.end(POOL_GRACE), self._admin.stop())
        self._event("stopped")


def _shown(path: Path) -> str:
    """Give a path as JSON can hold it: what is not UTF-8 in it is escaped."""
    return os.fsencode(path.absolute()).decode("utf-8", "backslashreplace")


def print_line(line: bytes) -> None:
    """Write a line to stdout; a reader that has left does not matter."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(line.decode() + "\n")
        sys.stdout.flush()
    except OSError:
        with open(os.devnull, "wb") as nowhere:  # for what Python tries to flush at its exit
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
