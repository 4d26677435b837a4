"""The ISAPI threads: how many calls run at once."""

import threading
from collections.abc import Callable

import pytest

from vaultstorm_server.w3wp.isapi_threads import IsapiThreads


class Gated:
    """Calls that say that they run, and wait until they are let through."""

    def __init__(self, limit: int) -> None:
        self.threads: IsapiThreads[int] = IsapiThreads(limit, self)
        self.running = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)
        self.done: list[int] = []

    def __call__(self, call: int) -> None:
        """Run one call."""
        self.running.release()
        with self.threads.waiting():
            self.gate.acquire()
        self.done.append(call)

    def wait(self, count: int) -> None:
        """Wait until so many more calls run."""
        for _ in range(count):
            assert self.running.acquire(timeout=30)

    def open(self, count: int) -> None:
        """Let so many through."""
        self.gate.release(count)


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_no_more_than_the_limit_run_at_once(limit: int) -> None:
    """One call more than there are threads waits until one of them is free."""
    calls = Gated(limit)
    threads = calls.threads
    for number in range(limit - 1):
        threads.give([number])
    assert threads.free
    threads.give([limit - 1])
    calls.wait(limit)
    assert (threads.free, threads.running) == (False, limit)
    threads.give([limit])
    assert not calls.running.acquire(timeout=0.05)
    calls.open(1)
    calls.wait(1)
    calls.open(limit)
    threads.join()
    assert sorted(calls.done) == list(range(limit + 1))


def test_one_thread_runs_calls_in_the_order_given() -> None:
    """What waits is taken in turn, and `join` waits for all of it."""
    done: list[int] = []
    threads = IsapiThreads(1, done.append)
    for number in range(100):
        threads.give([number])
    threads.join()
    assert done == list(range(100))


def test_calls_that_wait_for_nothing_share_a_thread() -> None:
    """However many are given at once, and however many threads there may be."""
    ran: list[threading.Thread] = []
    threads: IsapiThreads[int] = IsapiThreads(8, lambda _: ran.append(threading.current_thread()))
    threads.give(range(100))
    threads.join()
    assert len(ran) == 100
    assert len(set(ran)) == 1


def test_what_was_said_leaves_before_a_thread_waits_or_has_nothing_to_do() -> None:
    """An answer does not stay behind with a thread that does something else."""
    said: list[str] = []

    def run(call: str) -> None:
        said.append(call)
        if call == "waits":
            with threads.waiting():
                said.append("has waited")

    threads: IsapiThreads[str] = IsapiThreads(1, run, lambda: said.append("sent"))
    threads.give(["is short", "waits", "is last"])
    threads.join()
    assert said == ["is short", "waits", "sent", "has waited", "is last", "sent"]


def test_threads_that_have_waited_leave_the_rest_to_one_of_them() -> None:
    """Several run at once after their waits, as with a completion port, but take nothing new."""
    ran: list[tuple[int, threading.Thread]] = []
    in_wait, gate = threading.Semaphore(0), threading.Semaphore(0)
    both = threading.Barrier(2)

    def run(call: int) -> None:
        if call < 2:
            with threads.waiting():
                in_wait.release()
                assert gate.acquire(timeout=30)
            both.wait(30)
        ran.append((call, threading.current_thread()))

    threads: IsapiThreads[int] = IsapiThreads(2, run)
    threads.give(range(2))
    for _ in range(2):
        assert in_wait.acquire(timeout=30)
    threads.give(range(2, 50))  # all threads wait: nobody takes them yet
    assert not ran
    gate.release(2)
    threads.join()
    assert [call for call, _ in ran if call > 1] == list(range(2, 50))
    assert len({thread for call, thread in ran if call > 1}) == 1


def test_joining_waits_for_what_waits_and_for_what_is_left() -> None:
    """Nothing that was given is forgotten, also if it can only run after a wait."""
    calls = Gated(2)
    calls.threads.give(range(5))
    calls.wait(2)
    joining = threading.Thread(target=calls.threads.join)
    joining.start()
    joining.join(0.05)
    assert joining.is_alive()
    calls.open(5)
    joining.join(30)
    assert sorted(calls.done) == list(range(5))


def test_threads_are_started_as_they_are_needed() -> None:
    """Calls one after the other need one thread, however many there may be."""
    finished = threading.Semaphore(0)
    threads: IsapiThreads[int] = IsapiThreads(50, lambda _: finished.release())
    before = threading.active_count()
    for number in range(20):
        threads.give([number])
        assert finished.acquire(timeout=30)
        while threads.running:
            pass
    assert threading.active_count() - before == 1
    threads.join()


def test_nothing_given_is_nothing_to_wait_for() -> None:
    """Without a call there is no thread."""
    IsapiThreads(3, print).join()


def none_after(count: int) -> Callable[[threading.Thread], None]:
    """Give a Thread.start that fails after so many, as pthread_create(3) does."""
    start = threading.Thread.start

    def starts(thread: threading.Thread) -> None:
        nonlocal count
        count -= 1
        if count < 0:
            raise RuntimeError("can't start new thread")
        start(thread)

    return starts


@pytest.mark.parametrize("can", [1, 2])
def test_where_no_thread_can_be_started_those_there_are_go_on(
    monkeypatch: pytest.MonkeyPatch, can: int
) -> None:
    """What they cannot take waits for them, and later another one may be had."""
    calls = Gated(3)
    threads = calls.threads
    with monkeypatch.context() as short:
        short.setattr(threading.Thread, "start", none_after(can))
        for number in range(can):
            threads.give([number])
        calls.wait(can)
        assert (threads.free, threads.running) == (True, can)
        threads.give([can])
        assert not calls.running.acquire(timeout=0.05)
        assert (threads.free, threads.running) == (False, can + 1)
    threads.give([can + 1])
    calls.wait(1)
    calls.open(can + 2)
    threads.join()
    assert sorted(calls.done) == list(range(can + 2))
    assert threads.running == 0


def test_without_any_thread_the_caller_runs_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the next call has a thread again, if there is one."""
    ran: list[str] = []
    threads: IsapiThreads[int] = IsapiThreads(
        2, lambda _: ran.append(threading.current_thread().name)
    )
    with monkeypatch.context() as short:
        short.setattr(threading.Thread, "start", none_after(0))
        threads.give([1])
        assert ran == [threading.current_thread().name]
        assert (threads.running, threads.free) == (0, False)
    threads.give([2])
    threads.join()
    assert ran[1:] == ["ISAPI"]
    assert threads.free
