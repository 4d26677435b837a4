"""Runs `vaultstorm` as a user does: in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def environment(**more: str) -> dict[str, str]:
    """Give an environment in which the packages are found, installed or not."""
    sources = [str(ROOT / folder) for folder in ("server", "client", "scenarios")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sources), **more}


def command(*arguments: str) -> list[str]:
    """Give the command line that runs `vaultstorm` from this tree."""
    return [sys.executable, "-m", "vaultstorm", *arguments]


def vaultstorm(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `vaultstorm` to its end."""
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=environment(**env),
        stdin=subprocess.DEVNULL,
        timeout=50,
    )
