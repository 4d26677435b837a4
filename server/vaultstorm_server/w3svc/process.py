"""One child process with a channel: spawned, watched by its pidfd, always reaped."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence

from vaultstorm_server.interpreter import environment

CHANNEL = "{channel}"
"""Stands in a command for the number of the child's descriptor."""

NUMBER = "{number}"
"""Stands in a command for which child of its kind it is, from 1."""


def describe(status: int) -> str:
    """Say how a process ended, from subprocess's return code."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


class Process:
    """A child process that holds the other end of `sock`.

    Args:
        loop: watches the pidfd.
        command: the arguments, `CHANNEL` in the place of the descriptor's number.
        number: what takes the place of `NUMBER` in it.
        on_exit: called once, with subprocess's return code, when it has ended and been reaped.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        command: Sequence[str],
        number: int,
        on_exit: Callable[[int], None],
    ) -> None:
        self._loop = loop
        self._on_exit = on_exit
        self.sock, theirs = socket.socketpair()
        try:
            with theirs:
                self._popen = _spawn(command, theirs.fileno(), number)
            self.pid = self._popen.pid
            self._pidfd = _watch(self._popen)
        except OSError:
            self.sock.close()
            raise
        loop.add_reader(self._pidfd, self._ended)

    def kill(self) -> None:
        """End it at once; `on_exit` follows. Harmless once it has ended."""
        self._popen.kill()

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal. Harmless once it has ended."""
        self._popen.send_signal(number)

    def reap(self) -> None:
        """Kill it and wait for its end here and now, without `on_exit`."""
        self._popen.kill()
        self._popen.wait()
        self._forget()

    def _ended(self) -> None:
        self._forget()
        self._on_exit(self._popen.wait())

    def _forget(self) -> None:
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1


def _spawn(command: Sequence[str], descriptor: int, number: int) -> "subprocess.Popen[bytes]":
    known = {CHANNEL: str(descriptor), NUMBER: str(number)}
    return subprocess.Popen(
        [known.get(word, word) for word in command],
        pass_fds=(descriptor,),
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # the front's stdout carries the ready line
    )


def _watch(popen: "subprocess.Popen[bytes]") -> int:
    try:
        return os.pidfd_open(popen.pid)
    except OSError:  # out of descriptors: a child that nobody watches must not stay
        popen.kill()
        popen.wait()
        raise
