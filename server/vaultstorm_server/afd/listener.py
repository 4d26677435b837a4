"""Open the listener that the settings ask for."""

import asyncio
from typing import Final

from vaultstorm_server.afd import bind
from vaultstorm_server.afd.base import Listener, ListenerStatistics, Take
from vaultstorm_server.afd.drop import DropListener
from vaultstorm_server.afd.exhausted import ExhaustedListener
from vaultstorm_server.afd.policy import AcceptQueue
from vaultstorm_server.afd.refuse import RefuseListener
from vaultstorm_server.afd.reset import ResetListener
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.settings import Settings
from vaultstorm_wire.errors import MachineError

__all__ = ["STYLES", "Listener", "ListenerStatistics", "Take", "open_listener"]

STYLES: Final[dict[str, type[Listener]]] = {
    listener.style: listener
    for listener in (ResetListener, RefuseListener, DropListener, ExhaustedListener)
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
    sock = bind.bind(host, port)
    queue = AcceptQueue(settings.afd, bool(settings.tcpip.SynAttackProtect))
    try:
        return STYLES[settings.tcpip.style](loop, sock, queue, settings, take, journal)
    except MachineError:
        sock.close()
        raise
    except OSError as error:  # bind() lets a port pass that listen() finds taken (SO_REUSEADDR)
        sock.close()
        raise MachineError(bind.ways_out(error, host, port)) from error
