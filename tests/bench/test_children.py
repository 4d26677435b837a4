"""The processes that the bench starts, with real ones."""

import os
import select
import socket
from pathlib import Path

import pytest

from bench.children import (
    PYTHON,
    BenchError,
    Child,
    affinity,
    free_port,
    run,
    wait_until_it_listens,
)
from bench.procfs import cpu_seconds, descendants, memory

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); "
WAIT = "import time; time.sleep(600)"


def python(code: str) -> list[str]:
    """Give the command line of a Python program."""
    return [PYTHON, "-c", code]


def gone(pid: int) -> bool:
    """Tell whether there is no such process any more, not even a zombie."""
    return not Path(f"/proc/{pid}").exists()


def test_a_finished_program_gives_output_errors_code_and_cpu() -> None:
    """Collect all that it printed, however much, and what it used."""
    code = "import sys; print('x' * 300_000); print('hm', file=sys.stderr); sys.exit(3)"
    done = run(python(code), 30)

    assert (len(done.output), done.errors, done.code) == (300_001, "hm", 3)
    assert done.cpu_s > 0


def test_lines_are_read_one_by_one_and_said_one_by_one() -> None:
    """Talk to a process through its standard input and output."""
    echo = "import sys\nfor line in sys.stdin: print(line.strip() * 2, flush=True)"
    with Child(python(echo)) as child:
        child.say("ab")
        assert child.line(30) == "abab"
        child.say("c")
        assert child.line(30) == "cc"

    assert gone(child.pid)


def test_a_process_that_ends_without_a_word_is_an_error_with_its_own_words() -> None:
    """Show what it wrote to standard error."""
    with (
        Child(python("import sys; sys.exit('port taken')")) as child,
        pytest.raises(BenchError, match="port taken"),
    ):
        child.line(30)


def test_a_process_that_takes_too_long_is_ended() -> None:
    """End what does not finish in its time."""
    child = Child(python(WAIT))

    with pytest.raises(BenchError, match="too long"):
        child.finish(0.05)

    assert gone(child.pid)


def test_a_process_that_ignores_sigterm_is_killed_with_its_children() -> None:
    """Kill by pid what does not end, and the processes it has started itself."""
    code = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {WAIT!r}]); "
    child = Child(python(code + DEAF + "p.wait()"))
    child.line(30)
    (grandchild,) = descendants(child.pid)
    handle = os.pidfd_open(grandchild)

    child.end(patience=0.05)
    child.end()

    assert gone(child.pid)
    with open(handle) as ended:
        assert select.select([ended], [], [], 30)[0]


def test_a_child_runs_where_it_may() -> None:
    """Give the child the processors asked for, and this thread its own back."""
    before = os.sched_getaffinity(0)
    first = min(before)
    done = run(python("import os; print(*os.sched_getaffinity(0))"), 30, cpus={first})

    assert done.output.split() == [str(first)]
    assert os.sched_getaffinity(0) == before
    with affinity(None):
        assert os.sched_getaffinity(0) == before


def test_a_free_port_is_one_that_can_be_listened_on() -> None:
    """Find another port while the first is taken."""
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        assert free_port() != taken.getsockname()[1]


def test_waiting_for_a_server_ends_when_it_listens_or_with_its_words() -> None:
    """Return once somebody accepts; say what the process wrote if nobody does."""
    with socket.create_server(("127.0.0.1", 0)) as server, Child(python(WAIT)) as child:
        wait_until_it_listens(server.getsockname()[1], child)
        with pytest.raises(BenchError, match="does not listen"):
            wait_until_it_listens(free_port(), child, timeout=0.05)


def test_the_kernel_tells_memory_and_cpu_of_a_process() -> None:
    """Read figures of this very process."""
    mine = memory(os.getpid())

    assert mine.rss > 1000
    assert memory(os.getpid(), os.getpid()).rss >= 2 * 1000
    assert cpu_seconds(os.getpid()) > 0
    assert memory().rss == cpu_seconds() == 0


def test_a_program_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    """Raise what the system says, and leave nothing open behind."""
    with pytest.raises(FileNotFoundError):
        Child([str(tmp_path / "missing")])
