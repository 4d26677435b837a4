"""The measurement of the vault: its load, its disk and its targets."""

from pathlib import Path

import pytest

from bench import certificate, fsync, servers, vault
from bench.children import PYTHON, BenchError, Child
from bench.result import Column, Measurement


def test_the_load_puts_and_gets(tmp_path: Path) -> None:
    """A short round of each: every answer is the right one, every block is in the directory."""
    kept = tmp_path / "vault"
    shown = certificate.make(tmp_path)
    with servers.vaultstorm(tmp_path, shown, f"--set=vault.Directory={kept}") as server:
        with Child([PYTHON, "-m", "bench.vault_load", str(server.port), "4"]) as load:
            puts = vault._round(server, load, "puts", 0.1)
            gets = vault._round(server, load, "gets", 0.1)
        assert puts["failed"] == gets["failed"] == 0
        blocks = list((kept / "blocks").iterdir())
        assert 1 <= round(puts["rate"] * 0.1) <= len(blocks) <= round(puts["rate"] * 0.1) + 4
        assert {path.stat().st_size for path in blocks} == {4096}
        with (
            Child([PYTHON, "-m", "bench.vault_load", str(server.port), "1"]) as load,
            pytest.raises(BenchError, match="no puts in 0 s: 0 failed"),
        ):
            vault._round(server, load, "puts", 0)


def test_the_disk_is_measured_where_it_is_used(tmp_path: Path) -> None:
    """Some writes in the folder, by one thread and by several; a folder that is not there fails."""
    assert fsync.rate(tmp_path, 1, 0.02) > 0
    assert fsync.rate(tmp_path, 3, 0.02) > 0
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == 3
    assert not any(size % fsync.BLOCK for size in sizes)
    assert fsync.store_rate(tmp_path / "alone", 3, 0.02) > 0
    assert len(list((tmp_path / "alone" / "blocks").iterdir())) >= 3
    assert list((tmp_path / "alone" / "tmp").iterdir()) == []
    with pytest.raises(FileNotFoundError):
        fsync.rate(tmp_path / "gone", 2, 0.02)


@pytest.mark.parametrize(
    "disk, limit, passes", [(10_000, 1000, False), (2000, 1000, False), (1998, 999, True)]
)
def test_no_more_is_asked_for_than_the_disk_allows(disk: int, limit: int, passes: bool) -> None:
    """The target is 1,000 puts a second, or half of the disk's own fsyncs if that is less."""
    result = Measurement("vault", "", [Column("rate", "per s")])
    result.row(vault.DISK).add(rate=disk)
    result.row("PUT").add(rate=999, failed=0)
    result.row("GET").add(rate=4000, failed=0)
    vault._hold(result)
    puts, gets, *failed = result.checks
    assert (puts.limit, puts.passed) == (limit, passes)
    assert gets.passed
    assert [check.actual for check in failed] == [0, 0]
