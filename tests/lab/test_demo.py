"""What `make demo` shows."""

import pytest

from vaultstorm import demo


def test_the_demo_shows_the_failure_and_its_cure(capsys: pytest.CaptureFixture[str]) -> None:
    """A backlog of 10 loses most of the burst, one of 100 loses nothing, and a table says so."""
    assert demo.main() == 0
    broken, refused, dropped, fixed = capsys.readouterr().out.splitlines()[-4:]
    assert "tls.reset" in broken
    assert "connect.refused" in refused or "tls.reset" in refused
    assert dropped.split()[-4:-2] == ["100", "0"]
    assert fixed.split()[-4:-2] == ["100", "0"]
