"""Open the listener that the settings ask for."""

import asyncio
from typing import Final

import structlog

from vaultstorm_server.afd import bind
from vaultstorm_server.afd.base import Listener, ListenerStatistics, Take
from vaultstorm_server.afd.drop import DropListener
from vaultstorm_server.afd.policy import AcceptQueue
from vaultstorm_server.afd.refuse import RefuseListener
from vaultstorm_server.afd.reset import ResetListener
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.settings import Afd, Settings
from vaultstorm_wire.errors import MachineError

__all__ = ["STYLES", "Listener", "ListenerStatistics", "Take", "open_listener"]

log = structlog.get_logger()

STYLES: Final[dict[str, type[Listener]]] = {
    listener.style: listener for listener in (ResetListener, RefuseListener, DropListener)
}
"""What `Tcpip.style` names."""


def open_listener(
    loop: asyncio.AbstractEventLoop,
    host: str,
    port: int,
    settings: Settings,
    take: Take,
    journal: JournalFile,
) -> Listener:
    """Listen on `host` and `port`, with the accept queue of `settings.afd` and `settings.tcpip`.

    Args:
        loop: runs the listener; nothing of it may be called from another thread.
        host: an IPv4 or IPv6 address, or a name.
        port: 0 for any that is free.
        settings: `afd` and `tcpip` count.
        take: called with each connection that the application accepts; owns the socket from then.
        journal: gets a record of every connection turned away, and of every pause.

    Raises:
        MachineError: the port is taken or not permitted, or no such address is here.
        UsageError: `port` is no port.
    """
    _notice(settings.afd)
    sock = bind.bind(host, port)
    queue = AcceptQueue(settings.afd, bool(settings.tcpip.SynAttackProtect))
    try:
        return STYLES[settings.tcpip.style](loop, sock, queue, settings.afd, take, journal)
    except MachineError:
        sock.close()
        raise
    except OSError as error:  # bind() lets a port pass that listen() finds taken (SO_REUSEADDR)
        sock.close()
        raise MachineError(bind.ways_out(error, host, port)) from error


def _notice(afd: Afd) -> None:
    """Say which of the values will not do what they seem to."""
    if afd.Backlog > afd.MaximumStaticBacklog:
        log.warning("backlog_cut", Backlog=afd.Backlog, to=afd.MaximumStaticBacklog, by="KB127144")
    if afd.EnableDynamicBacklog and afd.Backlog <= afd.MinimumDynamicBacklog:
        log.warning(
            "dynamic_backlog_without_effect",
            Backlog=afd.Backlog,
            must_exceed=afd.MinimumDynamicBacklog,
            by="KB142641",
        )
