"""What `make demo` shows."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from vaultstorm import demo, library

SHARED_MEMORY = Path("/dev/shm")
ROOM = 1 << 30

SHOWN = {
    "backlog-burst": {
        "broken": ["100", "10", "90"],
        "workaround-dynamic-alone": ["100", "10", "90"],
        "fixed-backlog": ["100", "100", "0"],
        "fixed-dynamic": ["100", "100", "0"],
        "linux-drop": ["100", "100", "0"],
    },
    "dcom-burst": {
        "broken": ["200", "110", "90"],
        "hotfix-without-setting": ["200", "110", "90"],
        "setting-without-hotfix": ["200", "110", "90"],
        "afd-values-alone": ["200", "110", "90"],
        "fixed-maxcalls-100": ["200", "200", "0"],
        "fixed-dynamic": ["2000", "2000", "0"],
        "synattackprotect-off": ["200", "110", "90"],
    },
    "pool-failures": {
        "crash": ["1920", "1888", "32"],
        "ping-failure": ["1920", "1888", "32"],
        "shutdown-limit": ["1920", "1888", "32"],
        "queue-full": ["20", "14", "0"],
    },
    "recycle-keepalive": {},
    "vault-reentrance": {},
}
"""Attempts, ok and lost of the variants in which they are exact."""


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path]:
    """Give a directory on no disk, where there is one.

    Tests beside this one bring the disk to a standstill for seconds, and an interface of the vault
    that nobody uses for that long is released, with the hotfix too.
    """
    if not SHARED_MEMORY.is_dir() or shutil.disk_usage(SHARED_MEMORY).free < ROOM:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY) as directory:
        yield Path(directory)


def rows(table: str) -> dict[str, list[str]]:
    """Give attempts, ok and lost of every variant of a table."""
    return {line.split()[0]: line.split()[1:4] for line in table.splitlines() if line.strip()}


@pytest.mark.alone
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", library.SHOWN)
def test_the_demo_shows_the_failure_and_its_cure(
    in_memory: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """What ships passes, and a table shows broken beside fixed; what was there is replaced."""
    tmp_path = in_memory
    old = tmp_path / name / "old"
    old.mkdir(parents=True)
    beside = tmp_path / "mine"
    beside.touch()
    assert demo.main(tmp_path, [name]) == 0
    assert not old.exists()
    assert beside.exists()
    shown = capsys.readouterr().out
    assert "FAILED" not in shown
    table = rows(shown)
    assert {variant: table[variant] for variant in SHOWN[name]} == SHOWN[name]
    if name == "vault-reentrance":
        assert table["broken"][2] != "0"
        assert table["fixed"][2] == "0"
        assert "none lost, none changed" in shown
    if name == "recycle-keepalive":
        assert table["broken"][2] != "0"
        assert table["fixed"][2] == table["workaround-no-keepalive"][2] == "0"
    assert f"report: {tmp_path / name / 'report.html'}" in shown
    assert (tmp_path / name / "report.html").is_file()
