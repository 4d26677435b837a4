"""A foreign server that is started for a variant, and ends with it."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from vaultstorm.actions import Action
from vaultstorm.foreign import kernel, orphans, placeholders, programs, ready, records, values
from vaultstorm.foreign.target import Target
from vaultstorm.run_directory import RunnerJournal
from vaultstorm.serving import STOP_GRACE, TICK, members
from vaultstorm_wire.errors import MachineError

GROUP_GRACE: Final = 5.0
"""Seconds that its other processes get once the first one has ended."""
WROTE: Final = "target.json"
"""What was run, in the variant's directory."""

_ENDING: Final = frozenset(
    {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL, signal.SIGABRT}
)
"""Signals by which a server is expected to end."""


class ForeignServer:
    """Somebody else's server, ready.

    Attributes:
        url: what the load is fired at.
        ca: whom the load trusts.
    """

    def __init__(
        self,
        target: Target,
        filled: dict[str, str],
        scheme: str,
        process: "subprocess.Popen[bytes]",
        journal: RunnerJournal,
        env: dict[str, str],
    ) -> None:
        self.url = f"{scheme}://{filled['address']}"
        self.ca = target.ca or filled.get("ca") if scheme == "https" else None
        self._target = target
        self._values = {**filled, placeholders.PID: str(process.pid)}
        self._process = process
        self._journal = journal
        self._env = env
        self._sampler = kernel.Sampler(int(filled["port"]))
        self._before = records.marks(target, filled)
        self._expected = False
        self._stopping = False

    def poll(self) -> int | None:
        """Give its exit code, negative if a signal ended it; None while it runs."""
        return self._process.poll()

    def look(self, patience: float) -> dict[str, int]:
        """Give what it has counted: nothing that we could read."""
        del patience
        return {}

    def tick(self) -> None:
        """Write down what the kernel says of its port, if that has changed."""
        view = self._sampler.changed()
        if view is not None:
            self._journal.kernel(*view)

    def act(self, action: Action, patience: float, meanwhile: Callable[[], None]) -> None:
        """Do one action to it, and wait for its end. Raises MachineError."""
        if self._process.poll() is not None:
            raise MachineError("it has ended")
        if action.command:
            command = placeholders.fill_words(action.command, self._values)
            command[0] = programs.find(command[0], None, self._env["PATH"])
            output = Path(self._values["dir"]) / "actions.log"
            programs.run_to_end(command, self._env, output, patience, meanwhile)
        elif action.signal is not None:
            number = signal.Signals[f"SIG{action.signal}"]
            self._expected |= number in _ENDING or number == self._stop_signal
            programs.signal_process(self._process, number)
        elif action.action == "kill":
            self._expected = True
            programs.signal_group(self._process.pid, signal.SIGKILL)
        else:
            self._ask_to_stop()

    def is_expected(self, code: int) -> bool:
        """Tell whether it has ended because it was asked to."""
        del code  # how a server ends by its stop signal is its own affair
        return self._expected

    def stop(self) -> int:
        """Ask it to end, and see to it that it and all its processes do; give the exit code."""
        self._ask_to_stop()
        group = self._process.pid
        try:
            self._process.wait(STOP_GRACE)
        except subprocess.TimeoutExpired:
            programs.signal_group(group, signal.SIGKILL)
        code = self._process.wait()
        if members(group):  # what took over from it, as after gunicorn's USR2
            programs.signal_group(group, self._stop_signal)
            if not programs.wait_for_group(group, GROUP_GRACE):
                programs.signal_group(group, signal.SIGKILL)
                return -signal.SIGKILL  # what those had under way is in no access log
        return code

    def collect(self) -> list[str]:
        """Bring its records into the run, and say what could not be."""
        return records.collect(self._target, self._values, self._before)

    @property
    def _stop_signal(self) -> signal.Signals:
        return signal.Signals[f"SIG{self._target.stop_signal}"]

    def _ask_to_stop(self) -> None:
        self._expected = True
        if not self._stopping and self._process.poll() is None:
            self._stopping = True
            programs.signal_process(self._process, self._stop_signal)
            programs.signal_process(self._process, signal.SIGCONT)  # one that stands would not hear


@contextmanager
def started(
    target: Target,
    filled: dict[str, str],
    scheme: str,
    directory: Path,
    journal: RunnerJournal,
    log: IO[bytes],
    wait: Callable[[], None],
) -> Iterator[ForeignServer]:
    """Start a foreign server, and give it when it is ready; it ends with the block.

    Args:
        target: the server.
        filled: what the placeholders stand for.
        scheme: of the load.
        directory: of the variant.
        journal: where the kernel's view is written.
        log: where the server writes.
        wait: called again and again until it is ready; what it raises ends the wait.

    Raises:
        MachineError: it is not installed, ends, or does not become ready.
    """
    texts = {name: placeholders.fill_words([text], filled)[0] for name, text in target.env.items()}
    env = programs.environment({"VAULTSTORM_JOURNAL": filled["journal"], **texts})
    command = placeholders.fill_words(target.command, filled)
    program = programs.find(command[0], target.install, env["PATH"])
    values.write_files(target, filled)
    version = placeholders.fill_words(target.version, filled)
    said: dict[str, Any] = {
        "schema": 1,
        "command": command,
        "url": f"{scheme}://{filled['address']}",
        "version": programs.version(version, env, wait) if version else None,
    }
    (directory / WROTE).write_bytes(msgspec.json.format(msgspec.json.encode(said)) + b"\n")
    with orphans.ended(), programs.running([program, *command[1:]], log, env) as process:
        _until_ready(target, filled, scheme, process, directory / "server.log", wait)
        server = ForeignServer(target, filled, scheme, process, journal, env)
        yield server
        if process.poll() is None:
            server.stop()


def _until_ready(
    target: Target,
    filled: dict[str, str],
    scheme: str,
    process: "subprocess.Popen[bytes]",
    log: Path,
    wait: Callable[[], None],
) -> None:
    deadline = time.monotonic() + target.patience
    name = Path(placeholders.fill(target.command[0], filled)).name
    while True:
        wait()
        code = process.poll()
        if code is not None:
            said = programs.last_line(log)
            background = "" if code else "; it has to stay in the foreground"
            raise MachineError(
                f"{name} ended with {programs.how(code)} before it was ready{background}"
                f"{': ' if said else ''}{said}"
            )
        missing = ready.why_not(target.ready, scheme, filled["host"], int(filled["port"]))
        if missing is None:
            return
        if time.monotonic() >= deadline:
            said = programs.last_line(log)
            raise MachineError(
                f"{name} is not ready after {target.patience:g} s at {filled['address']}: {missing}"
                f"{'; it says: ' if said else ''}{said}"
            )
        time.sleep(TICK)
