"""A listener in a process that has no descriptor left: started by test_listener.py."""

import asyncio
import os
import resource
import socket
import sys
from pathlib import Path

import msgspec
import structlog
import uvloop

from tests.server.afd.harness import styled, until
from vaultstorm_server.afd.listener import open_listener
from vaultstorm_server.journal import JournalFile

CLIENTS = 3
ATTEMPTS = 3


async def main(style: str, directory: Path) -> None:
    """Take every descriptor, let three clients wait, and give the descriptors back."""
    settings = styled(style)
    journal = JournalFile(directory, "front")
    taken: list[socket.socket] = []
    listener = open_listener(
        asyncio.get_running_loop(), "127.0.0.1", 0, settings, lambda s, _: taken.append(s), journal
    )
    clients = [socket.socket() for _ in range(CLIENTS)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    hoard: list[int] = []
    while True:
        try:
            hoard.append(os.dup(0))
        except OSError:
            break
    with structlog.testing.capture_logs() as logs:
        for client in clients:
            client.connect((listener.host, listener.port))
        await until(lambda: listener.statistics().out_of_descriptors)
        attempts = {listener._retry}  # all of them are kept, so that no two are at one address
        while len(attempts) <= ATTEMPTS:  # those after the first are not to be logged
            await asyncio.sleep(0.01)
            attempts.add(listener._retry)
        exhausted_taken = len(taken)
        for descriptor in hoard:
            os.close(descriptor)
        await until(lambda: len(taken) == CLIENTS and not listener.statistics().out_of_descriptors)
    logged = [entry.get("errno", "resumed") for entry in logs]
    listener.close()
    journal.close()
    for sock in [*clients, *taken]:
        sock.close()
    result = {"exhausted_taken": exhausted_taken, "taken": len(taken), "logged": logged}
    sys.stdout.write(msgspec.json.encode(result).decode() + "\n")


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], Path(sys.argv[2])))
