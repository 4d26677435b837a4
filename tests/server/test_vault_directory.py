"""The vault's directory: a given one stays, a temporary one does not."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from tests.server.w3wp.power import Disk
from tests.server.w3wp.system_calls import step_in
from vaultstorm_server.vault_directory import vault_directory
from vaultstorm_wire.errors import MachineError

NO_ROOT = pytest.mark.skipif(os.geteuid() == 0, reason="root may write where nobody else may")


def test_a_temporary_one_is_removed_with_all_that_is_in_it() -> None:
    """Also where the run ends in an error; nobody else may look into it."""
    with pytest.raises(KeyError), vault_directory("") as path:  # noqa: PT012
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o700
        assert os.listdir(path) == []
        (Path(path) / "blocks").mkdir()
        (Path(path) / "blocks" / "b").write_bytes(b"b")
        raise KeyError
    assert not os.path.exists(path)


def test_two_runs_have_two() -> None:
    """And each has its own end."""
    with vault_directory("") as one:
        with vault_directory("") as other:
            assert one != other
        assert os.path.exists(one)


@pytest.mark.parametrize("there", [False, True])
def test_a_given_one_is_made_and_stays(tmp_path: Path, there: bool) -> None:
    """With its parents; what stands in it is left alone, and nothing is added."""
    given = tmp_path / "a" / "b"
    if there:
        given.mkdir(parents=True)
        (given / "kept").touch()
    with vault_directory(str(given)) as path:
        assert path == str(given)
    assert os.listdir(given) == ["kept"] * there


def test_the_power_may_fail_once_it_is_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of all folders that were made are on the disk, before anything is kept."""
    disk = Disk()
    step_in(disk.step, monkeypatch.setattr)
    with vault_directory(str(tmp_path / "a" / "b")) as path:
        assert os.path.isdir(path)
        assert disk.survives(path)


def test_a_relative_one_is_told_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker, and whoever reads its command, need not know where the server was started."""
    monkeypatch.chdir(tmp_path)
    with vault_directory("vault") as path:
        assert path == str(tmp_path / "vault")


@pytest.mark.parametrize(
    "name, why",
    [
        ("file", "/file is not a directory"),
        ("file/below", "/file is not a directory"),
        ("x" * 256, "File name too long"),
        ("a\0b", "embedded null"),
        (os.fsdecode(b"\xff"), "is not UTF-8"),
        pytest.param("closed/below", "Permission denied", marks=NO_ROOT),
        pytest.param("closed", "Permission denied", marks=NO_ROOT),
    ],
)
def test_one_that_cannot_be_had_is_named_with_a_way_out(
    tmp_path: Path, name: str, why: str
) -> None:
    """Before anything is kept in it."""
    (tmp_path / "file").touch()
    (tmp_path / "closed").mkdir(mode=0o500)
    with (
        pytest.raises(MachineError, match=why) as told,
        vault_directory(str(tmp_path / name)),
    ):
        pass
    assert "name another directory with --set vault.Directory=DIR" in str(told.value)
    assert str(tmp_path) in str(told.value)


def test_a_machine_without_a_temporary_directory_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And which variable would name one."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(MachineError, match="set TMPDIR"), vault_directory(""):
        pass


def test_a_file_system_that_is_read_only_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Permission bits say nothing of it: it is tried."""
    with (
        pytest.raises(MachineError, match="the vault cannot write in /proc"),
        vault_directory("/proc/self/vault"),
    ):
        pass
