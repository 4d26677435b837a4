"""How the container test runs its commands."""

import sys

import pytest

from containers.commands import LINES, Failed, attempt, run


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_both_streams_and_the_exit_code_are_kept() -> None:
    """A command that fails is told of, not raised."""
    ended = attempt(_python("import os; os.write(1, b'out '); os.write(2, b'err'); os._exit(3)"))

    assert ended == (3, "out err")


def test_a_command_that_is_not_there_has_failed() -> None:
    """As in a shell, it is exit code 127."""
    assert attempt(["vaultstorm-no-such-command"]).code == 127


def test_a_failure_shows_the_last_lines() -> None:
    """Of a long output the end is shown, where the reason stands."""
    with pytest.raises(Failed) as failure:
        run(_python(f"print(*range({LINES + 1}), sep='\\n'); raise SystemExit(1)"))

    assert str(failure.value).splitlines()[1:] == [str(n) for n in range(1, LINES + 1)]


def test_nothing_waits_for_ever() -> None:
    """A command that does not end is ended, and has failed."""
    with pytest.raises(Failed, match=r"has not ended in 0 s"):
        attempt(_python("import time; time.sleep(60)"), timeout=0.2)
