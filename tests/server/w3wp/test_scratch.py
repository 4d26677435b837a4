"""Unfinished files: of the living, of the dead, and of others."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.server.w3wp.system_calls import step_in
from tests.support.command import environment
from vaultstorm_server.w3wp.scratch import Scratch

HOLDER = """
import sys
from vaultstorm_server.w3wp.scratch import Scratch
name = Scratch(sys.argv[1]).name()
open(name, "w").close()
print(name, flush=True)
sys.stdin.read()
"""


def test_every_name_is_a_new_one(tmp_path: Path) -> None:
    """Many threads never get the same path, and all get one in the same folder."""
    scratch = Scratch(str(tmp_path))
    with ThreadPoolExecutor(16) as pool:
        names = list(pool.map(lambda _: scratch.name(), range(200)))
    assert len(set(names)) == 200
    assert {os.path.dirname(name) for name in names} == {str(one) for one in tmp_path.iterdir()}
    scratch.close()


def test_nothing_is_made_before_a_name_is_wanted(tmp_path: Path) -> None:
    """A store that is only read needs no room on the disk."""
    scratch = Scratch(str(tmp_path))
    scratch.sweep()
    scratch.close()
    assert list(tmp_path.iterdir()) == []


def test_a_closed_one_leaves_nothing_and_opens_again(tmp_path: Path) -> None:
    """The folder goes with close, and comes back with the next name."""
    scratch = Scratch(str(tmp_path))
    first = scratch.name()
    scratch.close()
    assert list(tmp_path.iterdir()) == []
    Path(scratch.name()).touch()
    assert first not in {str(one) for one in tmp_path.iterdir()}
    scratch.close()


def test_the_dead_are_swept_and_the_living_are_not(tmp_path: Path) -> None:
    """What a process has begun stands for as long as it lives, and no longer, kill -9 included."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        begun = Path(child.stdout.readline().decode().strip())
        own = Scratch(str(tmp_path))
        mine = Path(own.name())
        mine.touch()
        for _ in range(2):
            Scratch(str(tmp_path)).sweep()
        assert begun.exists()
        assert mine.exists()
        child.send_signal(signal.SIGKILL)
        child.wait()
        Scratch(str(tmp_path)).sweep()
    assert not begun.parent.exists()
    assert mine.exists()
    mine.unlink()
    own.close()


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    """Files, folders of other names and folders within ours are nobody's leftovers."""
    (tmp_path / "w3wp-file").touch()
    (tmp_path / "of another").mkdir()
    (tmp_path / "of another" / "file").touch()
    (tmp_path / "w3wp-1" / "folder").mkdir(parents=True)
    (tmp_path / "w3wp-2").symlink_to(tmp_path / "of another")
    before = sorted(tmp_path.rglob("*"))
    Scratch(str(tmp_path)).sweep()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_directory_that_is_gone_is_named(tmp_path: Path) -> None:
    """Where no folder can be made, the error has the path."""
    with pytest.raises(FileNotFoundError, match="gone"):
        Scratch(str(tmp_path / "gone")).name()


def test_a_folder_is_not_swept_before_it_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the making of a folder and its lock, another process's sweep has to wait."""
    made, gate = threading.Event(), threading.Event()
    scratch = Scratch(str(tmp_path))
    names: list[str] = []
    maker = threading.Thread(target=lambda: names.append(scratch.name()), daemon=True)
    sweeper = threading.Thread(target=lambda: Scratch(str(tmp_path)).sweep(), daemon=True)

    def hold(call: str, arguments: tuple[Any, ...], through: Callable[..., Any]) -> Any:
        result = through(*arguments)
        if call == "mkdir":
            made.set()
            gate.wait()
        return result

    step_in(hold, monkeypatch.setattr)
    maker.start()
    made.wait()
    sweeper.start()
    sweeper.join(0.05)
    assert sweeper.is_alive()
    gate.set()
    maker.join()
    sweeper.join()
    Path(names[0]).touch()
    scratch.close()
