"""The store under many threads, and under several processes on one directory."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.server.w3wp.samples import named
from tests.server.w3wp.system_calls import step_in
from tests.support.command import ROOT, environment
from vaultstorm_server.w3wp.store import ConflictError, FullError, Store

THREADS = 100


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """Make all calls at the same time; give what they returned or raised, in order."""
    start = threading.Barrier(len(calls))

    def make(call: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return call()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(make, calls))


def test_the_same_block_from_many_threads_is_one(tmp_path: Path) -> None:
    """One of them is told that it is new; there is one file, and it is counted once."""
    store = Store(tmp_path, 8192)
    name, block = named(b"\1" * 8192)
    told = at_once([lambda: store.put(name, block)] * THREADS)
    assert sorted(told) == [False] * (THREADS - 1) + [True]
    assert store.statistics() == (1, 8192, 0)
    store.close()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [name]


def test_the_quota_holds_whoever_comes(tmp_path: Path) -> None:
    """Of many at once exactly as many are taken as fit, the first count included."""
    before = Store(tmp_path, 0)
    before.put(*named(b"before" * 100))
    before.close()
    store = Store(tmp_path, 600 + 10 * 100)
    blocks = [named(b"%03d" % number + b"." * 97) for number in range(THREADS)]
    told = at_once([partial(store.put, *block) for block in blocks])
    taken = [block for block, answer in zip(blocks, told, strict=True) if answer is True]
    assert len(taken) == 10
    assert sum(isinstance(answer, FullError) for answer in told) == THREADS - 10
    assert {name for name, _ in blocks if store.get(name)} == {name for name, _ in taken}
    assert store.statistics() == (11, 1600, 0)
    store.close()


def test_one_name_one_snapshot(tmp_path: Path) -> None:
    """Of many different ones exactly one is kept, and only its sender hears so."""
    store = Store(tmp_path, 0)
    told = at_once([partial(store.commit, "Full", b"%d" % number, []) for number in range(THREADS)])
    (winner,) = [number for number, answer in enumerate(told) if answer is True]
    assert sum(isinstance(answer, ConflictError) for answer in told) == THREADS - 1
    assert store.snapshot("Full") == b"%d" % winner
    assert store.statistics() == (0, len(b"%d" % winner), 1)
    store.close()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["Full"]


def test_the_same_snapshot_from_many_threads_is_one(tmp_path: Path) -> None:
    """All are acknowledged; one is told that it is new, and one needs room in the quota."""
    store = Store(tmp_path, 8)
    told = at_once([lambda: store.commit("Full", b"manifest", [])] * THREADS)
    assert sorted(told) == [False] * (THREADS - 1) + [True]
    assert store.statistics() == (0, 8, 1)
    store.close()


@pytest.mark.parametrize("held", ["write", "rename", "fsync"])
def test_nobody_hears_of_a_block_that_is_not_safe_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    """While the first thread is held back in its put, the second one waits for the same block.

    Another block, and a read of this one, do not wait; the read finds the whole block or none.
    """
    store = Store(tmp_path, 0)
    name, block = named(b"one" * 1000)
    reached, gate = threading.Event(), threading.Event()
    first = threading.Thread(target=lambda: store.put(name, block), daemon=True)

    def hold(call: str, arguments: tuple[Any, ...], through: Callable[..., Any]) -> Any:
        if call == held and threading.current_thread() is first:
            reached.set()
            gate.wait()
        return through(*arguments)

    step_in(hold, monkeypatch.setattr)
    first.start()
    reached.wait()
    answers: list[bool] = []
    asked = threading.Event()

    def put_too() -> None:
        asked.set()
        answers.append(store.put(name, block))

    second = threading.Thread(target=put_too, daemon=True)
    second.start()
    asked.wait()
    assert store.put(*named(b"another"))
    assert store.get(name) in (None, block)
    assert answers == []
    gate.set()
    first.join()
    second.join()
    assert answers == [False]
    store.close()


def test_a_failed_put_does_not_fail_the_one_that_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that waited for the same block writes it itself."""
    store = Store(tmp_path, 0)
    name, block = named(b"one" * 1000)
    reached, gate = threading.Event(), threading.Event()
    told: list[Any] = []

    def first_put() -> None:
        try:
            store.put(name, block)
        except OSError as error:
            told.append(error.errno)

    first = threading.Thread(target=first_put, daemon=True)

    def fails(call: str, arguments: tuple[Any, ...], through: Callable[..., Any]) -> Any:
        if call == "rename" and threading.current_thread() is first:
            reached.set()
            gate.wait()
            raise OSError(5, "Input/output error")
        return through(*arguments)

    step_in(fails, monkeypatch.setattr)
    first.start()
    reached.wait()
    second = threading.Thread(target=lambda: told.append(store.put(name, block)), daemon=True)
    second.start()
    gate.set()
    first.join()
    second.join()
    assert told == [5, True]
    assert store.statistics() == (1, 3000, 0)
    store.close()


WRITER = """
import sys
from tests.server.w3wp.samples import named
from vaultstorm_server.w3wp.store import ConflictError, Store
store = Store(sys.argv[1], 0)
print("ready", flush=True)
sys.stdin.readline()
new = won = 0
for number in range(50):
    new += store.put(*named(b"%d" % number * 1000))
    try:
        won += store.commit(f"snapshot {number}", sys.argv[2].encode(), [])
    except ConflictError:
        pass
print(new, won, flush=True)
store.close()
"""


def test_several_processes_share_a_directory(tmp_path: Path) -> None:
    """They put the same blocks and commit different snapshots of the same names: each has one."""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(number)],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(3)
    ]
    new = won = 0
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write(b"go\n")
        child.stdin.flush()
    for child in children:
        output, _ = child.communicate()
        assert child.returncode == 0
        new += int(output.split()[0])
        won += int(output.split()[1])
    assert new >= 50
    assert won == 50
    store = Store(tmp_path, 0)
    for number in range(50):
        name, block = named(b"%d" % number * 1000)
        assert store.get(name) == block
        assert store.snapshot(f"snapshot {number}") in (b"0", b"1", b"2")
    assert store.statistics().blocks == 50
    assert list((tmp_path / "tmp").iterdir()) == []
