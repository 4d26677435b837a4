"""One worker as the pool keeps it."""

import asyncio
import sys

import pytest
import uvloop

from vaultstorm_server.w3svc.policy import Change, State
from vaultstorm_server.w3svc.process import CHANNEL, Process
from vaultstorm_server.w3svc.worker import Worker


def test_a_worker_lives_by_the_table() -> None:
    """It starts as STARTING with the pid of its process; what the table lacks is a KeyError."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        command = [sys.executable, "-c", "import os, sys; os.read(int(sys.argv[1]), 1)", CHANNEL]
        process = Process(loop, command, lambda status: None)
        worker = Worker(process, failures=2)
        try:
            assert (worker.pid, worker.state, worker.failures) == (process.pid, State.STARTING, 2)
            worker.change(Change.HELLO)
            assert worker.state is State.SERVING
            with pytest.raises(KeyError):
                worker.change(Change.HELLO)
        finally:
            process.reap()
            process.sock.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
