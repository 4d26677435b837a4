"""Threads that want the same name, and those that do not."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from vaultstorm_server.w3wp.turns import Turns


def test_one_name_one_thread() -> None:
    """Many threads with one name are never inside at once."""
    turns, inside, most = Turns(), 0, 0
    start = threading.Barrier(32)

    def use() -> None:
        nonlocal inside, most
        start.wait()
        for _ in range(20):
            with turns.of("one"):
                inside += 1
                most = max(most, inside)
                inside -= 1

    with ThreadPoolExecutor(32) as pool:
        for done in [pool.submit(use) for _ in range(32)]:
            done.result()
    assert (inside, most) == (0, 1)


def test_the_second_waits_for_the_first() -> None:
    """A name that is taken is had when it is given back, and not before."""
    turns, order = Turns(), []
    asked = threading.Event()

    def second() -> None:
        asked.set()
        with turns.of("one"):
            order.append("second")

    thread = threading.Thread(target=second)
    with turns.of("one"):
        thread.start()
        asked.wait()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_other_names_do_not_wait() -> None:
    """While one name is taken, another can be had and given back."""
    turns = Turns()
    with turns.of("one"), ThreadPoolExecutor(1) as pool:

        def other() -> str:
            with turns.of("other"):
                return "done"

        assert pool.submit(other).result(10) == "done"


def test_a_failure_gives_the_name_back() -> None:
    """Whoever comes after an exception does not wait for ever."""
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.of("one"):
        raise ZeroDivisionError
    with turns.of("one"):
        pass
