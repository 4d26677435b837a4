"""The worker as a real process: its channel, its journal, its end."""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.w3wp.children import Start, starting
from vaultstorm_server.frames import OVERHEAD, Frames, append
from vaultstorm_server.messages import Done, Hello, Ping, Pong, Stop, Table, ToFront, Work
from vaultstorm_server.w3wp.answers import Answer, json
from vaultstorm_server.w3wp.executions import Executions
from vaultstorm_server.w3wp.outbox import Outbox
from vaultstorm_server.w3wp.worker import Worker
from vaultstorm_wire import journal

ROOT = Path(__file__).parents[3]
STATUS = "/AeXRSVault/status"


@pytest.fixture
def start() -> Iterator[Start]:
    """Start workers, and leave none behind."""
    with starting() as make:
        yield make


def records(directory: Path, pid: int) -> list[journal.AnyRecord]:
    """Read a worker's journal."""
    with (directory / f"worker-{pid}.ndjson").open("rb") as lines:
        return list(journal.read(lines))


def test_a_worker_says_hello_answers_in_order_and_ends_with_its_channel(
    start: Start, tmp_path: Path
) -> None:
    """Every request gets its answer and one execution record; the end of file is exit 0."""
    child = start(tmp_path)
    pid = child.process.pid
    assert child.receive() == Hello(pid)

    child.send(
        Work(5, "a", "GET", STATUS, [(b"Host", b"x")], b""), Work(6, None, "GET", "/no", [], b"")
    )
    first, second = child.receive(), child.receive()
    child.sock.close()

    assert isinstance(first, Done)
    assert isinstance(second, Done)
    assert [(first.seq, first.status), (second.seq, second.status)] == [(5, 200), (6, 404)]
    assert child.end() == (0, b"")
    opening, *executions = records(tmp_path, pid)
    assert isinstance(opening, journal.Journal)
    assert (opening.role, opening.pid) == ("worker", pid)
    told = [
        (e.id, e.worker, e.target, e.status) for e in executions if isinstance(e, journal.Execution)
    ]
    assert told == [("a", pid, STATUS, 200), (None, pid, "/no", 404)]


def test_an_execution_is_written_before_its_answer_leaves(start: Start, tmp_path: Path) -> None:
    """Whoever has read the answer finds the record in the file, the worker still running."""
    child = start(tmp_path)
    child.receive()
    for seq in range(1, 20):
        child.send(Work(seq, f"r{seq}", "GET", STATUS, [], b""))
        child.receive()
        last = records(tmp_path, child.process.pid)[-1]
        assert isinstance(last, journal.Execution)
        assert last.id == f"r{seq}"


def test_interrupt_and_terminate_are_for_the_front_process_to_decide(
    start: Start,
) -> None:
    """A worker goes on after SIGINT and SIGTERM, without a journal too."""
    child = start("")
    child.receive()
    for number in (signal.SIGINT, signal.SIGTERM):
        child.process.send_signal(number)
        child.send(Work(number, None, "GET", STATUS, [], b""))
        answer = child.receive()
        assert isinstance(answer, Done)
        assert answer.seq == number


def test_a_worker_without_a_place_for_its_journal_says_so(start: Start, tmp_path: Path) -> None:
    """It ends with exit 3 and one line, instead of serving unrecorded."""
    child = start(tmp_path / "none")
    status, errors = child.end()
    assert status == 3
    assert errors.count(b"\n") == 1
    assert b"No such file" in errors


def test_a_worker_imports_no_event_loop() -> None:
    """Its start is part of every recycle: asyncio, ssl and the like stay out."""
    script = "import sys, vaultstorm_server.w3wp.__main__; print(*sys.modules)"
    out = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT / "server")},
        stdout=subprocess.PIPE,
        check=True,
    ).stdout.decode()
    heavy = {"asyncio", "uvloop", "ssl", "structlog", "argparse", "pathlib", "h11", "logging"}
    assert heavy.isdisjoint(out.split())


def test_a_worker_answers_pings_in_their_turn(start: Start) -> None:
    """A ping is answered after the requests before it, and says what the vault says of itself."""
    child = start("")
    child.receive()
    child.send(Work(1, None, "GET", STATUS, [], b""), Ping(), Work(2, None, "GET", STATUS, [], b""))
    answers = [child.receive() for _ in range(3)]
    assert [type(answer) for answer in answers] == [Done, Pong, Done]
    assert answers[1] == Pong(None)


def test_a_worker_that_is_told_to_stop_finishes_what_came_before_and_nothing_else(
    start: Start, tmp_path: Path
) -> None:
    """What was sent with the stop, but behind it, is neither answered nor executed."""
    child = start(tmp_path)
    child.receive()
    child.send(
        Work(1, "before", "GET", STATUS, [], b""), Stop(), Work(2, "after", "GET", STATUS, [], b"")
    )
    answer = child.receive()
    assert isinstance(answer, Done)
    assert answer.seq == 1
    assert child.sock.recv(1) == b""
    assert child.end() == (0, b"")
    executed = records(tmp_path, child.process.pid)[1:]
    assert [e.id for e in executed if isinstance(e, journal.Execution)] == ["before"]


def test_a_hung_worker_that_was_told_to_stop_ends_with_its_front_process(start: Start) -> None:
    """It waits for its methods as long as the channel stands, and not a moment longer."""
    child = start(MaxInterfaces=1, DoCleanUpPeriod=3600)
    child.receive()
    opening = [Work(n, None, "POST", "/AeXRSVault/interfaces", [], b"") for n in (1, 2)]
    child.send(*opening)
    held = Table(1, 1)
    while child.receive() != held:
        pass
    child.send(Stop(), Work(3, None, "GET", STATUS, [], b""))
    descriptor = os.pidfd_open(child.process.pid)
    assert select.select([descriptor], [], [], 0.2)[0] == []
    child.sock.close()
    assert select.select([descriptor], [], [], 30)[0] == [descriptor]
    os.close(descriptor)
    assert child.end() == (0, b"")


def test_a_method_that_waits_holds_up_neither_answers_nor_other_methods(start: Start) -> None:
    """What was answered before it leaves, and what came after it is run by another thread."""
    child = start(MaxInterfaces=1, DoCleanUpPeriod=3600, IsapiThreads=2)
    child.receive()
    path = "/AeXRSVault/interfaces"
    child.send(
        Work(1, None, "GET", "/no", [], b""),
        Work(2, None, "POST", path, [], b""),
        Work(3, None, "POST", path, [], b""),  # for ever
        Work(4, None, "GET", "/no", [], b""),
    )
    answered: list[int] = []
    while len(answered) < 3:
        message = child.receive()
        if isinstance(message, Done):
            answered.append(message.seq)
    assert answered == [1, 2, 4]


def test_an_execution_that_is_over_is_written_before_the_next_begins(tmp_path: Path) -> None:
    """Whatever kills the worker within a batch: what is over is in its journal."""
    path = tmp_path / "worker-1.ndjson"
    seen: list[int] = []

    def handle(method: str, target: str, body: bytes) -> Answer:
        del method, target, body
        seen.append(path.read_bytes().count(b'"execution"'))
        return json(200, {})

    ours, theirs = socket.socketpair()
    with ours, theirs:
        out = bytearray()
        for seq in range(3):
            append(out, Work(seq, f"r{seq}", "GET", STATUS, [], b""))
        ours.sendall(out)
        ours.shutdown(socket.SHUT_WR)
        outbox, lines = Outbox(theirs, 100_000), Executions(str(tmp_path), 1)
        Worker(theirs, outbox, handle, lambda: None, lines, 1, False, 100_000).run()
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("size, status", [(999, 200), (1000, 200), (1001, 500)])
@pytest.mark.parametrize("target", [STATUS, "/on/a/thread"])
def test_an_answer_that_fits_no_frame_is_recorded_as_it_is_answered(
    tmp_path: Path, target: str, size: int, status: int
) -> None:
    """500 is what the client gets, and 500 is what the journal says, with what to raise."""
    frame_max = 1000 + OVERHEAD
    ours, theirs = socket.socketpair()
    with ours, theirs:
        out = bytearray()
        append(out, Work(1, "r", "GET", target, [], b""))
        ours.sendall(out)
        ours.shutdown(socket.SHUT_WR)
        outbox, lines = Outbox(theirs, frame_max), Executions(str(tmp_path), 1)
        answer = Answer(200, [], b"x" * size)
        worker = Worker(theirs, outbox, lambda *_: answer, lambda: None, lines, 1, False, frame_max)
        worker.run()
        frames: Frames[ToFront] = Frames(ToFront, frame_max)
        messages: list[ToFront] = []
        while len(messages) < 2:
            messages += frames.feed(ours.recv(100_000))
    _, done = messages
    assert isinstance(done, Done)
    execution = records(tmp_path, 1)[-1]
    assert isinstance(execution, journal.Execution)
    assert (done.status, execution.status) == (status, status)
    assert (b"raise httpsys.MaxRequestEntityAllowed" in done.body) is (status == 500)
