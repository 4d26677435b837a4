"""Programs that are not ours: found, run in groups of their own, and asked for their version."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from vaultstorm.foreign import placeholders
from vaultstorm.foreign.target import Target
from vaultstorm.serving import TICK, end_group, members
from vaultstorm_wire.errors import MachineError

_SYSTEM: Final = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where Debian has its servers, and has no PATH of a user's point to."""
_VERSION_PATIENCE: Final = 10.0
_SAID_MAX: Final = 300
"""Characters of a program's line that a message takes."""
_TAIL: Final = 1 << 16
"""Bytes of what a program has written that are looked at: it may have written a great deal."""


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Give our environment, and more, in which the programs beside our Python are found first."""
    own = str(Path(sys.executable).parent)
    path = [own, *os.environ.get("PATH", os.defpath).split(os.pathsep)]
    path += [place for place in _SYSTEM if place not in path]
    return {**os.environ, "PATH": os.pathsep.join(path), **more}


def is_installed(program: str) -> bool:
    """Tell whether a program is found."""
    return shutil.which(program, path=environment({})["PATH"]) is not None


def find(program: str, install: str | None, path: str | None = None) -> str:
    """Give the file of a program.

    Args:
        program: as the command says it.
        install: how it is installed.
        path: where it is looked for.

    Raises:
        MachineError: it is not there; says how to install it.
    """
    found = shutil.which(program, path=environment({})["PATH"] if path is None else path)
    if found is None and "/" in program:
        raise MachineError(f"{program} is no program that can be run")
    if found is None:
        instead = f"install it with: {install}" if install else "install it, or name its file"
        raise MachineError(f"{program} is not installed; {instead}")
    return str(Path(found).absolute())


def find_first(target: Target) -> None:
    """See that the program of a target is there, before anything is run. Raises MachineError."""
    program = target.command[0]
    if not placeholders.named(program):
        path = target.env.get("PATH", "")
        elsewhere = placeholders.named(path)  # known only when it starts
        if not elsewhere:
            find(program, target.install, environment({"PATH": path} if path else {})["PATH"])


@contextmanager
def running(
    command: Sequence[str],
    log: int | IO[bytes],
    env: Mapping[str, str],
    errors: int | IO[bytes] | None = None,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program in a process group of its own, of which nothing is left afterwards.

    Args:
        command: the first word is its file.
        log: where it writes.
        env: its whole environment.
        errors: where its errors go instead.

    Raises:
        MachineError: it cannot be run.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log if errors is None else errors,
            env=env,
            process_group=0,
        )
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise MachineError(f"cannot run {command[0]}: {said}") from error
    try:
        yield process
    finally:
        if process.poll() is None:
            signal_group(process.pid, signal.SIGKILL)
        process.wait()
        end_group(process.pid)


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to a process group, if there still is one. Raises MachineError."""
    with _permitted(), suppress(ProcessLookupError):
        os.killpg(group, number)


def signal_process(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    """Send a signal to a process, if it still runs. Raises MachineError."""
    with _permitted():
        process.send_signal(number)


@contextmanager
def _permitted() -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        said = "it runs as another user, as behind sudo: it has to be ended by hand"
        raise MachineError(said) from error


def wait_for_group(group: int, grace: float) -> bool:
    """Wait until nobody of a group lives, and tell whether it has come to that."""
    deadline = time.monotonic() + grace
    while members(group):
        if time.monotonic() >= deadline:
            return False
        time.sleep(TICK / 5)
    return True


def version(
    command: Sequence[str], env: Mapping[str, str], meanwhile: Callable[[], None]
) -> str | None:
    """Give the first line that a command says of itself; None if it says nothing, or far too much.

    Args:
        command: the first word is its file.
        env: its whole environment.
        meanwhile: called again and again; what it raises ends the command.
    """
    with tempfile.TemporaryFile() as said:
        try:
            with running(command, said, env) as process:
                deadline = time.monotonic() + _VERSION_PATIENCE
                while process.poll() is None and time.monotonic() < deadline:
                    meanwhile()
                    if os.fstat(said.fileno()).st_size > _TAIL:
                        break
                    time.sleep(TICK / 5)
        except MachineError:
            return None
        said.seek(0)
        text = said.read(_TAIL).decode("utf-8", "replace")
    lines = (line.strip() for line in text.splitlines())
    return None if process.returncode else next((line[:_SAID_MAX] for line in lines if line), None)


def last_line(log: Path) -> str:
    """Give the last line that a program has written, shortened; empty if there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:_SAID_MAX] if lines else ""


def how(code: int | None) -> str:
    """Say how a process ended, as journals say it."""
    if code is None:
        return "signal 9"
    return f"exit {code}" if code >= 0 else f"signal {-code}"


def run_to_end(
    command: Sequence[str],
    env: Mapping[str, str],
    output: Path,
    patience: float,
    meanwhile: Callable[[], None],
) -> None:
    """Run a command to its end.

    Args:
        command: the first word is its file.
        env: its whole environment.
        output: where it writes; appended to.
        patience: seconds it may take.
        meanwhile: called again and again; what it raises ends the command.

    Raises:
        MachineError: it cannot be run, takes too long, or ends with another exit code than 0; says
            what it said last.
    """
    before = output.stat().st_size if output.exists() else 0
    deadline = time.monotonic() + patience
    with output.open("ab") as log, running(command, log, env) as process:
        while process.poll() is None:
            meanwhile()
            if time.monotonic() >= deadline:
                raise MachineError(f"it has not ended within {patience:g} s")
            time.sleep(TICK / 5)
    if process.returncode:
        said = last_line(output) if output.stat().st_size > before else ""
        raise MachineError(f"{how(process.returncode)}{': ' if said else ''}{said}")
