"""How one of our processes starts another: with this very Python, and what it can import."""

import os
import sys
from pathlib import Path

import vaultstorm_server


def command(module: str, *arguments: str) -> list[str]:
    """Give the command that runs a module of this very installation.

    Without the current directory, where a file may have the name of a module that it imports.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def environment() -> dict[str, str]:
    """Let the child import what this process imports, wherever that was found."""
    roots = [str(Path(vaultstorm_server.__file__).parents[1])]
    roots += filter(None, sys.path)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(roots))}
