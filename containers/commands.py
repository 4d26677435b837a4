"""How a command is run: what fails is said with its last lines, and nothing waits for ever."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple

LINES = 40
"""Of a failed command's output that are shown."""


class Failed(Exception):
    """Something is not as it must be; says what."""


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    output: str
    """Both streams, as they came."""


def attempt(
    command: Sequence[str], env: Mapping[str, str] | None = None, timeout: float = 300
) -> Ended:
    """Run a command to its end, whatever that is. Raises Failed if it takes too long."""
    try:
        ended = subprocess.run(
            command,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
            text=True,
            errors="replace",
        )
    except subprocess.TimeoutExpired as error:
        raise Failed(f"`{' '.join(command)}` has not ended in {timeout:.0f} s") from error
    except OSError as error:
        return Ended(127, f"{command[0]}: {error.strerror}")
    return Ended(ended.returncode, ended.stdout)


def run(command: Sequence[str], env: Mapping[str, str] | None = None, timeout: float = 300) -> str:
    """Run a command that must succeed, and give its output. Raises Failed."""
    ended = attempt(command, env, timeout)
    if ended.code != 0:
        last = "\n".join(ended.output.splitlines()[-LINES:])
        raise Failed(f"`{' '.join(command)}` ended with exit code {ended.code}:\n{last}")
    return ended.output
