"""The entry of a worker process; the front process starts it, nobody else."""

import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Final

import msgspec

from vaultstorm_server import clock
from vaultstorm_server.w3wp.vault import Vault
from vaultstorm_server.w3wp.worker import Options, Worker, open_journal
from vaultstorm_wire.errors import MachineError, UsageError

PR_SET_PDEATHSIG: Final = 1
"""Of prctl(2)."""


def parse(arguments: Sequence[str]) -> Options:
    """Read ``--name value`` pairs; argparse alone would cost 10 ms of every start.

    Raises:
        UsageError: they are not the `Options`.
    """
    names = [name.removeprefix("--").replace("-", "_") for name in arguments[::2]]
    try:
        values = dict(zip(names, arguments[1::2], strict=True))
        return msgspec.convert(values, Options, strict=False)
    except (ValueError, msgspec.ValidationError) as error:
        raise UsageError(f"a worker process is started by the server only: {error}") from error


def wake_with_the_end_of_the_front() -> None:
    """Have the kernel send SIGCONT when the front process dies: one that was stopped ends too.

    A worker that runs reads the end of its channel; one that SIGSTOP holds would stay for ever.
    """
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGCONT, 0, 0, 0)


def main(arguments: Sequence[str]) -> int:
    """Serve the channel until its end; give the exit status."""
    # Ctrl-C goes to the whole foreground group, and timeout(1) and systemd send SIGTERM to all:
    # the front process alone decides when workers end, by the end of the channel
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    wake_with_the_end_of_the_front()
    started = clock.now()
    try:
        options = parse(arguments)
        try:
            lines = open_journal(options.journal, os.getpid())
            sock = socket.socket(fileno=options.channel)
        except OSError as error:
            raise MachineError(f"worker {os.getpid()}: {error}") from error
    except (UsageError, MachineError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    vault = Vault(options.max_blocks, os.getpid(), started)
    Worker(sock, vault, lines, options.frame_max).run()
    sock.detach()  # closed by the kernel, after the exit status is known
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
