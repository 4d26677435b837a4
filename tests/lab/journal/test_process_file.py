"""The journal file of a process: whole lines, its own after a fork, and honest when it fails."""

import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.journal.reading import begun, executed, records
from vaultstorm.journal import process_file
from vaultstorm.journal.process_file import ProcessFile
from vaultstorm_wire.journal import Execution

# From 3.12 on, Python warns of a fork beside threads: some servers do fork so.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def in_child(act: Callable[[], None]) -> int:
    """Run something in a child of this process, and give its exit status."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            act()
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(pid, 0)[1]


def test_what_is_appended_is_there_at_once(tmp_path: Path) -> None:
    """The directory is made; no flush and no close is needed."""
    file = ProcessFile(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    file.begun("one")
    file.executed("one", "GET", "/é?x=1", 200)
    file.begun(None)
    assert [type(record).__name__ for record in records(file.directory)] == [
        *("Begun", "Execution", "Begun"),
    ]
    assert executed(file.directory) == [("one", 200)]
    assert begun(file.directory) == ["one", None]


@pytest.mark.parametrize("length", [0, 1, 4095, 4096, 4097])
def test_a_target_is_kept_up_to_its_limit(tmp_path: Path, length: int) -> None:
    """As the server's own journals do."""
    file = ProcessFile(tmp_path)
    file.executed("a", "GET", "t" * length, 200)
    (record,) = records(tmp_path)
    assert isinstance(record, Execution)
    assert len(record.target) == min(length, process_file.TARGET_MAX)


def test_a_fork_has_a_file_of_its_own(tmp_path: Path) -> None:
    """Before and after the parent opened its own."""
    file = ProcessFile(tmp_path)
    assert in_child(lambda: file.begun("child before")) == 0
    file.begun("parent")
    assert in_child(lambda: file.begun("child after")) == 0
    file.begun("parent again")
    assert len(list(tmp_path.iterdir())) == 3
    assert sorted(map(str, begun(tmp_path))) == [
        *("child after", "child before", "parent", "parent again"),
    ]


def test_a_fork_does_not_wait_for_a_thread_that_it_left_behind(tmp_path: Path) -> None:
    """Whoever held the lock at that moment holds it in the parent alone."""
    file = ProcessFile(tmp_path)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with file._lock:
            held.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(30)

    def child() -> None:
        signal.alarm(20)
        file.begun("child")

    assert in_child(child) == 0
    done.set()
    thread.join()
    assert begun(tmp_path) == ["child"]


def test_a_name_is_never_shared(tmp_path: Path) -> None:
    """A process that had the same number, in another container say, keeps what it wrote."""
    old = tmp_path / f"worker-{os.getpid()}.ndjson"
    old.write_bytes(b'{"record":"journ')
    file = ProcessFile(tmp_path)
    file.begun("a")
    old.unlink()
    assert begun(tmp_path) == ["a"]


def test_threads_never_mix_their_lines(tmp_path: Path) -> None:
    """Each record is a line, whoever wrote it."""
    file = ProcessFile(tmp_path)

    def write(name: str) -> None:
        for number in range(200):
            file.begun(f"{name}{number}" * 20)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({*begun(tmp_path)}) == 800


def test_what_cannot_be_made_is_said_at_once(tmp_path: Path) -> None:
    """Not at the first request: whoever starts the server sees it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="an execution journal cannot be written here") as error:
        ProcessFile(tmp_path / "file" / "below")
    assert error.value.filename == str(tmp_path / "file" / "below")
    with pytest.raises(OSError, match="cannot be written"):
        ProcessFile(tmp_path / "file")


def fails_at(tmp_path: Path, size: int) -> tuple[str, bytes]:
    """Write in a process whose files may have `size` bytes, and give its stderr and its file."""
    said = tmp_path / "stderr"
    directory = tmp_path / "journal"

    def child() -> None:
        sys.stderr = said.open("w", buffering=1)
        file = ProcessFile(directory)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        file.begun("first" * 500)  # so that there is room for what stderr says
        (path,) = directory.iterdir()
        limit = path.stat().st_size + size
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        for id in ("second", "third", "fourth"):
            file.begun(id)

    assert in_child(child) == 0
    (path,) = directory.iterdir()
    return said.read_text(), path.read_bytes()


@pytest.mark.parametrize("size", [0, 1, 40])
def test_a_full_disk_leaves_a_journal_that_says_so(tmp_path: Path, size: int) -> None:
    """One line on stderr, no more records, and a last line without its end."""
    said, written = fails_at(tmp_path, size)
    assert said.count("\n") == 1
    assert "vaultstorm.journal: no more records of process" in said
    assert "File too large" in said
    assert not written.endswith(b"\n")
    assert b"third" not in written
    assert written.count(b"\n") == (1 if size == 0 else 2)


def test_who_cannot_open_a_file_says_it_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A worker that may not write where its master could."""
    file = ProcessFile(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    file.begun("a")
    file.executed("a", "GET", "/", 200)
    assert capsys.readouterr().err.count("No such file or directory") == 1


def test_a_text_that_cannot_be_written_is_no_error_of_the_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The application is served all the same, and the journal is cut off."""
    file = ProcessFile(tmp_path)
    file.begun("\udc80")
    assert "no more records" in capsys.readouterr().err
    (path,) = tmp_path.iterdir()
    assert not path.read_bytes().endswith(b"\n")


def test_all_who_name_a_directory_share_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By argument or by environment; without either there is none."""
    monkeypatch.delenv(process_file.VARIABLE, raising=False)
    assert process_file.find(None) is None
    monkeypatch.setenv(process_file.VARIABLE, "")
    assert process_file.find(None) is None
    monkeypatch.setenv(process_file.VARIABLE, str(tmp_path))
    assert process_file.find(None) is process_file.find(tmp_path)
    assert process_file.find(str(tmp_path / "other")) is not process_file.find(None)
