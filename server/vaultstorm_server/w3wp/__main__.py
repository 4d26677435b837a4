"""The entry of a worker process; the front process starts it, nobody else."""

import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import msgspec

from vaultstorm_server import clock
from vaultstorm_server.messages import Note, Table
from vaultstorm_server.settings import Vault as Settings
from vaultstorm_server.w3wp.clean_up import DoCleanUp
from vaultstorm_server.w3wp.executions import Executions
from vaultstorm_server.w3wp.interface_calls import InterfaceCalls
from vaultstorm_server.w3wp.interfaces import entries
from vaultstorm_server.w3wp.outbox import Outbox
from vaultstorm_server.w3wp.store import Store
from vaultstorm_server.w3wp.vault import Vault
from vaultstorm_server.w3wp.worker import Worker
from vaultstorm_wire.errors import MachineError, UsageError

PR_SET_PDEATHSIG: Final = 1
"""Of prctl(2)."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the front process tells a worker.

    Attributes:
        channel: the descriptor of its end of the channel.
        journal: the directory of its journal; empty for none.
        vault: the settings of the vault, in JSON, with a directory.
        frame_max: the longest frame that either side sends.
        number: which worker of the pool it is.
    """

    channel: int
    journal: str
    vault: str
    frame_max: int
    number: int = 1


def parse(arguments: Sequence[str]) -> tuple[Options, Settings]:
    """Read ``--name value`` pairs; argparse alone would cost 10 ms of every start.

    Raises:
        UsageError: they are not the `Options`.
    """
    names = [name.removeprefix("--").replace("-", "_") for name in arguments[::2]]
    try:
        values = dict(zip(names, arguments[1::2], strict=True))
        options = msgspec.convert(values, Options, strict=False)
        return options, msgspec.json.decode(options.vault, type=Settings)
    except (ValueError, msgspec.MsgspecError) as error:
        raise UsageError(f"a worker process is started by the server only: {error}") from error


def wake_with_the_end_of_the_front() -> None:
    """Have the kernel send SIGCONT when the front process dies: one that was stopped ends too.

    A worker that runs reads the end of its channel; one that SIGSTOP holds would stay for ever.
    """
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGCONT, 0, 0, 0)


def end_with(sock: socket.socket) -> None:
    """Have a thread end the process when the other end of a socket is gone; nothing is read.

    A worker that was told to stop waits for its methods, which may hang, and no longer reads that
    its front process is gone and that nobody wants the answers.
    """

    def wait() -> None:
        poll = select.poll()
        poll.register(sock, select.POLLRDHUP)
        poll.poll()
        os._exit(0)

    threading.Thread(target=wait, name="front", daemon=True).start()


def main(arguments: Sequence[str]) -> int:
    """Serve the channel until its end; give the exit status."""
    # Ctrl-C goes to the whole foreground group, and timeout(1) and systemd send SIGTERM to all:
    # the front process alone decides when workers end, by the end of the channel
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    wake_with_the_end_of_the_front()
    started = clock.now()
    try:
        options, settings = parse(arguments)
        try:
            lines = Executions(options.journal, os.getpid())
            store = Store(settings.Directory, settings.Quota)
            sock = socket.socket(fileno=options.channel)
        except OSError as error:
            raise MachineError(f"worker {os.getpid()}: {error}") from error
    except (UsageError, MachineError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    serve(options, settings, store, sock, lines, started)
    sock.detach()  # closed by the kernel, after the exit status is known
    return 0


def serve(
    options: Options,
    settings: Settings,
    store: Store,
    sock: socket.socket,
    lines: Executions,
    started: float,
) -> None:
    """Wire the vault together, and serve until the end."""
    outbox = Outbox(sock, options.frame_max)

    def note(name: str, detail: str) -> None:
        outbox.send(Note(clock.now(), name, detail))

    def changed(interfaces: int, threads_held: int) -> None:
        outbox.send(Table(interfaces, threads_held))

    def corrupted(entry: str) -> None:
        if corruption is not None and corruption.strikes():
            note("corruption_crash", f"{entry} was released under a method inside it: SIGSEGV")
            corruption.crash()

    def facts() -> dict[str, Any]:
        uptime = round(clock.now() - started, 3)
        return {"pid": os.getpid(), "uptime": uptime, "clean_up": clean_up.alive}

    corruption = None
    if settings.CorruptionCrash:
        from vaultstorm_server.w3wp.corruption import Corruption

        corruption = Corruption(settings.CorruptionCrash, settings.Seed, options.number)
    table = entries(
        settings.TECH39579,
        settings.MaxInterfaces,
        settings.InterfaceIdleTime,
        settings.InterfaceMemory,
    )

    def waiting() -> AbstractContextManager[None]:
        return worker.waiting()

    calls = InterfaceCalls(table, settings.IsapiThreads, note, changed, corrupted, waiting)
    clean_up = DoCleanUp(
        settings.DoCleanUpPeriod,
        calls.clean_up,
        lambda error: note("clean_up_died", f"{error}: no entry is released any more"),
    )
    vault = Vault(settings, calls, store, lines.keeping, facts, waiting)
    worker = Worker(
        sock,
        outbox,
        vault.handle,
        lambda: vault.unhealthy,
        lines,
        settings.IsapiThreads,
        bool(settings.PingBlockedByHang),
        options.frame_max,
        lambda: end_with(sock),
    )
    clean_up.start()
    in_order = worker.run()
    clean_up.end()
    if in_order:  # or else methods may still run
        store.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
