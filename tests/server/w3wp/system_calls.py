"""Steps in before every system call that changes a disk: to end the process there, or to fail."""

import fcntl
import os
from collections.abc import Callable
from typing import Any

NAMES = ("open", "write", "fsync", "close", "rename", "link", "unlink", "mkdir", "rmdir", "listdir")
"""Of module os; and fcntl.flock."""

Step = Callable[[str, tuple[Any, ...], Callable[..., Any]], Any]
"""Given a call's name, its arguments, and itself, does what is to be done in its place."""


def step_in(step: Step, patch: Callable[[Any, str, Any], None] = setattr) -> None:
    """Have `step` called in place of each of them.

    Args:
        step: see `Step`.
        patch: sets an attribute; pytest's monkeypatch.setattr sets it back.
    """
    for module, names in ((os, NAMES), (fcntl, ("flock",))):
        for name in names:
            patch(module, name, _through(step, name, getattr(module, name)))


def _through(step: Step, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def called(*arguments: Any) -> Any:
        return step(name, arguments, call)

    return called
