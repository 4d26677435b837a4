"""One variant of a scenario: a fresh server, the load, and the actions while it runs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from vaultstorm import acknowledged, workload
from vaultstorm.actions import SIGNALS, Action, Schedule
from vaultstorm.control import Refused, ask
from vaultstorm.counts import counted
from vaultstorm.ended import EndedAttempts
from vaultstorm.live import Show
from vaultstorm.run_directory import RunnerJournal, has_content
from vaultstorm.scenario import Scenario, Variant
from vaultstorm.serving import Serving, end_group, serving
from vaultstorm.watch import Cut, Watch
from vaultstorm_wire.errors import MachineError, VaultstormError

TICK: Final = 0.02
"""Seconds between two looks at the load and the actions."""

LOAD_GRACE: Final = 5.0
"""Seconds the load gets to write down how its attempts ended."""

ASK_TIMEOUT: Final = 5.0
"""Seconds the control plane gets to answer; less if the time limit is nearer."""

ACT_TIMEOUT: Final = 30.0
"""Seconds an action gets: an iisreset answers when it is done, and drains connections before."""


class Place(NamedTuple):
    """Where a variant runs.

    Attributes:
        directory: the variant's own, with `journal` in it.
        tls: that of the certificates, the same for all variants of a run.
        port: of the server; 0 for any that is free.
        seed: of the load.
    """

    directory: Path
    tls: Path
    port: int
    seed: int


def run(scenario: Scenario, variant: Variant, place: Place, watch: Watch, show: Show) -> list[str]:
    """Run one variant; afterwards none of its processes is left.

    Returns:
        What went otherwise than the scenario says, a sentence each: an action that never came due,
        a server that ended by itself, or that `watch` has cut it short.

    Raises:
        Cut: the run has to end, and the load has not begun.
        MachineError: the server or the load cannot be run here.
    """
    directory = place.directory
    options = [
        f"--config={directory / 'server.toml'}",
        f"--journal={directory / 'journal'}",
        f"--tls-dir={place.tls}",
        f"--set=vault.Directory={acknowledged.directory(scenario.settings(variant), directory)}",
        f"--port={place.port}",
        *(f"--hotfix={name}" for name in variant.hotfixes),
    ]
    journal = RunnerJournal(directory / "journal")
    made: _VariantRun | None = None

    def wait() -> None:
        watch.check()
        show(lambda: f"{variant.name}: the server starts")

    try:
        with _log(directory / "server.log") as server_log, _log(directory / "client.log") as log:
            journal.event("variant_started", variant.name)
            with serving(options, server_log, wait) as server:
                made = _VariantRun(scenario, variant, place, watch, show, server, journal)
                made.load(log)
                made.end()
            return made.failures
    except MachineError as error:
        said = "" if made else _last_line(directory / "server.log")
        raise MachineError(f"variant {variant.name}: {error}{said}") from error
    finally:
        journal.close()


class _VariantRun:
    """A variant whose server is ready."""

    def __init__(
        self,
        scenario: Scenario,
        variant: Variant,
        place: Place,
        watch: Watch,
        show: Show,
        server: Serving,
        journal: RunnerJournal,
    ) -> None:
        self.failures: list[str] = []
        self._variant = variant
        self._directory = place.directory
        self._watch = watch
        self._show = show
        self._server = server
        self._journal = journal
        self._plan = scenario.plan(variant, place.seed)
        self._scheme = scenario.scheme(variant)
        self._schedule = Schedule(variant.actions)
        self._begun: set[int] = set()
        self._attempts = EndedAttempts(place.directory / "journal")
        self._ending: str | None = None
        self._exit: int | None = None
        self._began: float | None = None

    def load(self, log: IO[bytes]) -> None:
        """Run the load from its first SYN to its last attempt, and the actions beside it."""
        self._watch.check()
        for action in self._schedule.before():
            self._act(action)
        with _process(self._command(), log) as load:
            try:
                while load.poll() is None:
                    self._turn()
                    time.sleep(TICK)
            except Cut as cut:
                self.failures.append(str(cut))
                load.send_signal(signal.SIGINT)
                _wait(load, LOAD_GRACE)
            code = load.poll()
        self._journal.event("load_finished", _how(code))
        # Cut short while its interpreter started, it ends however that takes SIGINT
        if code not in (0, 130) and not self._watch.reason and not self._has_finding(code):
            raise _load_failed(code, self._directory / "client.log")
        if not self.failures and code == 130:
            self.failures.append("the load was interrupted")
        if not self._watch.reason:
            self.failures += [
                f"the load ended before the action came due: {action}"
                for action in self._schedule.pending
            ]

    def _has_finding(self, code: int | None) -> bool:
        """Tell whether the load has found that what was acknowledged is lost or corrupt."""
        return code == 1 and has_content(self._directory / "burst.json")

    def end(self) -> None:
        """End the server in good order, and write down how it ended."""
        if self._exit is None:
            self._ending = self._ending or "stop"
            self._note_exit(self._server.stop())

    def _turn(self) -> None:
        self._watch.check()
        now = time.monotonic()
        if self._began is None and self._attempts.begun():
            self._began = now
            self._journal.event("load_started")
        code = self._server.process.poll()
        if code is not None and self._exit is None:
            self._note_exit(code)
        elapsed = now - self._began if self._began is not None else 0.0
        self._show(lambda: self._line(elapsed))
        while self._began is not None:
            action = self._schedule.next(elapsed, self._look)
            if action is None:
                return
            self._act(action)

    def _line(self, elapsed: float) -> str:
        wanted = workload.attempts(self._plan, self._scheme)
        total = f" of {wanted}" if wanted else ""
        ended = self._attempts.count()
        return f"{self._variant.name}: {elapsed:.1f} s, {ended}{total} attempts ended"

    def _note_exit(self, code: int) -> None:
        self._exit = code
        self._journal.event("server_exited", _how(code))
        if self._ending is None or (self._ending == "stop" and code != 0):
            self.failures.append(f"the server ended by itself, with {_how(code)}")

    def _look(self) -> Mapping[str, Any] | None:
        if self._exit is not None:
            return None
        try:
            status = ask(self._server.ready.admin, "GET", "/status", self._patience(ASK_TIMEOUT))
        except MachineError:
            return None  # it is ending, or too busy to say: the next look will tell
        return counted(status, self._attempts.count())

    def _act(self, action: Action) -> None:
        if action.action in SIGNALS:
            self._ending = action.action
            if action.action == "kill":
                self._server.process.kill()
            else:
                self._server.ask_to_stop()
        elif not self._asked(action):
            return
        self._journal.event("action", action.action)

    def _asked(self, action: Action) -> bool:
        """Have the control plane do it; what it cannot do is a failure, said once.

        Of an action that is repeated, a later time that the server refuses is passed over.
        """
        try:
            ask(self._server.ready.admin, "POST", action.path, self._patience(ACT_TIMEOUT))
        except MachineError as error:
            if isinstance(error, Refused) and id(action) in self._begun:
                return False
            failure = f"{action}: {error}"
            if self._server.process.poll() is not None:
                failure = f"the server had ended before the action came due: {action}"
            if failure not in self.failures:
                self.failures.append(failure)
            return False
        finally:
            self._begun.add(id(action))
        return True

    def _patience(self, most: float) -> float:
        return max(0.1, min(most, self._watch.left))

    def _command(self) -> list[str]:
        ready, directory = self._server.ready, self._directory
        target = f"{self._scheme}://{ready.address}"
        if self._scheme == "rpc":
            assert ready.rpc is not None  # `serving` asks for it by its port
            target = ready.rpc
        trust = [f"--ca={ready.ca}"] if self._scheme == "https" and ready.ca else []
        return [
            *(sys.executable, "-m", "vaultstorm", "burst", target),
            *(*workload.options(self._plan), *trust),
            *(f"--journal={directory / 'journal'}", f"--json={directory / 'burst.json'}"),
        ]


@contextmanager
def _process(command: list[str], log: IO[bytes]) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the load in a process group of its own, of which nothing is left afterwards."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=log,
        process_group=0,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        end_group(process.pid)


def _wait(process: "subprocess.Popen[bytes]", grace: float) -> None:
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        return


def _log(path: Path) -> IO[bytes]:
    try:
        return path.open("ab")
    except OSError as error:
        raise MachineError(f"cannot write {path}: {error.strerror}") from error


def _how(code: int | None) -> str:
    """Say how a process ended, as journals say it."""
    if code is None:
        return "signal 9"
    return f"exit {code}" if code >= 0 else f"signal {-code}"


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").split("\n")
    said = [line for line in lines if line.startswith("vaultstorm: ")]
    return f": {said[-1].removeprefix('vaultstorm: ')}" if said else f"; see {log}"


def _load_failed(code: int | None, log: Path) -> VaultstormError:
    """Make an error of the load's: it says itself what the machine will not do."""
    kind: Callable[[str], VaultstormError] = VaultstormError if code == 4 else MachineError
    return kind(f"the load ended with {_how(code)}{_last_line(log)}")
