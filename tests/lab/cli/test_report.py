"""`vaultstorm report`."""

from pathlib import Path

from tests.lab.report import making
from tests.support.command import vaultstorm


def test_a_report_is_written_again(tmp_path: Path) -> None:
    """The report's path is all that stands on stdout."""
    directory = making.make(tmp_path / "run", [making.BROKEN], 10)
    ended = vaultstorm("report", str(directory))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"{directory / 'report.html'}\n"
    assert (directory / "report.html").stat().st_size > 50_000


def test_no_run(tmp_path: Path) -> None:
    """A directory without a run is wrong usage, said in a sentence."""
    ended = vaultstorm("report", str(tmp_path))
    assert ended.returncode == 2
    assert ended.stderr == (
        f"vaultstorm: {tmp_path} holds no finished run: there is no run.json in it\n"
    )
