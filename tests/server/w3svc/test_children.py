"""The processes of a pool's workers."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable

import pytest

from tests.server.w3svc.pooling import GATED, gone, run, until
from vaultstorm_server.messages import Done, Hello, Stop, ToFront, Work
from vaultstorm_server.w3svc.children import Children
from vaultstorm_server.w3svc.process import CHANNEL
from vaultstorm_server.w3svc.states import Change
from vaultstorm_server.w3svc.worker import Worker

COMMAND = [sys.executable, "-c", GATED, CHANNEL]


class Heard:
    """What children say."""

    def __init__(self, command: list[str]) -> None:
        self.messages: list[ToFront] = []
        self.ends: list[object] = []
        self.children = Children(
            asyncio.get_running_loop(),
            command,
            1 << 20,
            lambda _, message: self.messages.append(message),
            lambda worker, why, nonsense: self.ends.append((worker, why, nonsense)),
            lambda worker, status: self.ends.append((worker, status)),
        )


def with_children(scenario: Callable[[Heard], object], command: list[str] = COMMAND) -> None:
    """Run a coroutine function with children, none of which is left."""

    async def main() -> None:
        heard = Heard(command)
        try:
            await scenario(heard)  # type: ignore[misc]
        finally:
            heard.children.reap()

    run(main)


def test_a_child_says_hello_answers_and_ends_as_told() -> None:
    """Its pid is the worker's; its exit is told once, and then it is forgotten."""

    async def scenario(heard: Heard) -> None:
        worker = Worker(1, 0.0)
        heard.children.start(worker)
        await until(lambda: bool(heard.messages))
        assert heard.messages == [Hello(worker.pid)]
        heard.children.send(worker, Work(7, None, "GET", "/answer", [], b""))
        await until(lambda: len(heard.messages) == 2)
        assert heard.messages[1] == Done(7, 200, [], b"")
        assert list(heard.children) == [worker]
        heard.children.send(worker, Stop())
        await heard.children.empty()
        assert heard.ends[-1] == (worker, 0)
        assert len(heard.children) == 0
        assert gone(worker.pid)

    with_children(scenario)


def test_a_child_that_is_let_go_of_stays_as_it_is() -> None:
    """Its channel stays open, nothing is said of it, `empty` does not wait, and `reap` ends it."""

    async def scenario(heard: Heard) -> None:
        worker = Worker(1, 0.0)
        heard.children.start(worker)
        await until(lambda: bool(heard.messages))
        heard.children.let_go(worker)
        await heard.children.empty()
        os.kill(worker.pid, 0)
        assert heard.children.reap() == [worker.pid]
        assert gone(worker.pid)
        assert heard.ends == []

    with_children(scenario)


def test_an_orphan_that_is_ended_is_reaped() -> None:
    """By whoever has looked at it; its channel goes with it."""

    async def scenario(heard: Heard) -> None:
        before = os.listdir("/proc/self/fd")
        worker = Worker(1, 0.0)
        heard.children.start(worker)
        await until(lambda: bool(heard.messages))
        heard.children.let_go(worker)
        os.kill(worker.pid, signal.SIGKILL)
        await until(lambda: os.listdir("/proc/self/fd") == before)
        assert gone(worker.pid)
        assert heard.children.reap() == []

    with_children(scenario)


@pytest.mark.parametrize("serving, reached", [([], []), ([1], [1]), ([0, 1, 2], [0])])
def test_a_signal_goes_to_the_oldest_that_serves(serving: list[int], reached: list[int]) -> None:
    """A hang is SIGSTOP: the process is there and does nothing, until it is resumed."""

    async def scenario(heard: Heard) -> None:
        workers = [Worker(number, 0.0) for number in range(3)]
        for worker in workers:
            heard.children.start(worker)
        await until(lambda: len(heard.messages) == 3)
        for number in serving:
            workers[number].change(Change.HELLO)
        pids = heard.children.signal("hang")
        assert pids == [workers[number].pid for number in reached]
        await until(lambda: all(state(pid) == "T" for pid in pids))
        assert set(heard.children.signal("resume")) == {worker.pid for worker in workers}
        await until(lambda: all(state(pid) != "T" for pid in pids))

    with_children(scenario)


def state(pid: int) -> str:
    """Give the state of a process, as proc_pid_stat(5) has it."""
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]


def test_what_cannot_be_started_is_an_error() -> None:
    """And leaves no worker behind."""

    async def scenario(heard: Heard) -> None:
        with pytest.raises(OSError, match="No such file"):
            heard.children.start(Worker(1, 0.0))
        assert len(heard.children) == 0

    with_children(scenario, ["/nowhere/at/all"])
