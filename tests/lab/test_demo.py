"""What `make demo` shows."""

from pathlib import Path

import pytest

from vaultstorm import demo, library


@pytest.mark.timeout(150)
def test_the_demo_shows_the_failure_and_its_cure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All that ships passes, and a table shows broken beside fixed; what was there is replaced."""
    old = tmp_path / "backlog-burst" / "old"
    old.mkdir(parents=True)
    beside = tmp_path / "mine"
    beside.touch()
    assert demo.main(tmp_path) == 0
    assert not old.exists()
    assert beside.exists()
    shown = capsys.readouterr().out
    assert "FAILED" not in shown
    rows = {line.split()[0]: line.split()[1:] for line in shown.splitlines() if line}
    assert rows["broken"][:3] == ["100", "10", "90"]
    assert rows["workaround-dynamic-alone"][:3] == ["100", "10", "90"]
    for fixed in ("fixed-backlog", "fixed-dynamic", "linux-drop"):
        assert rows[fixed][:3] == ["100", "100", "0"]
    for name in library.names():
        assert f"report: {tmp_path / name / 'report.html'}" in shown
        assert (tmp_path / name / "report.html").is_file()
