"""What is done about a worker process that was let go of (OrphanWorkerProcess)."""

import asyncio
import os
import shlex
import subprocess

import structlog

from vaultstorm_server.settings import AppPool

log = structlog.get_logger("W3SVC")


def command(settings: AppPool, pid: int) -> list[str]:
    """Give the command that OrphanActionExe and OrphanActionParams ask for; empty for none.

    Args:
        settings: ``%1%`` in OrphanActionParams is where the process id goes (cc785398).
        pid: of the orphan.
    """
    if not settings.OrphanActionExe:
        return []
    parameters = settings.OrphanActionParams.replace("%1%", str(pid))
    return [settings.OrphanActionExe, *shlex.split(parameters)]


def act(loop: asyncio.AbstractEventLoop, settings: AppPool, pid: int) -> None:
    """Run what is to be run about an orphan, and reap it when it ends; a failure is only logged."""
    try:
        words = command(settings, pid)
        if not words:
            return
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        descriptor = os.pidfd_open(process.pid)
    except (OSError, ValueError) as error:  # ValueError: a quote without its end, a NUL
        log.error(
            "orphan_action_failed", action=settings.OrphanActionExe, pid=pid, error=str(error)
        )
        return
    log.info("orphan_action", action=words[0], pid=pid, action_pid=process.pid)

    def ended() -> None:
        loop.remove_reader(descriptor)
        os.close(descriptor)
        status = process.wait()
        log.info("orphan_action_ended", action_pid=process.pid, status=status)

    loop.add_reader(descriptor, ended)
