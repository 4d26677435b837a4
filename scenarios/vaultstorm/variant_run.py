"""One variant of a scenario: a server, a load, and the actions while it runs."""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Final, NamedTuple, Protocol

from vaultstorm import acknowledged
from vaultstorm.actions import Action, Schedule
from vaultstorm.burst_load import LOG, BurstLoad
from vaultstorm.client_load import Aim, ClientLoad
from vaultstorm.control import Refused
from vaultstorm.counts import ENDED
from vaultstorm.foreign import values
from vaultstorm.foreign.elsewhere import reached
from vaultstorm.foreign.programs import how, running
from vaultstorm.foreign.server import started
from vaultstorm.live import Show
from vaultstorm.our_server import ours
from vaultstorm.run_directory import RunnerJournal
from vaultstorm.scenario import Scenario, Variant
from vaultstorm.watch import Cut, Watch
from vaultstorm_wire.errors import MachineError

TICK: Final = 0.02
"""Seconds between two looks at the load and the actions."""

LOAD_GRACE: Final = 5.0
"""Seconds the load gets to write down how its attempts ended."""

ASK_TIMEOUT: Final = 5.0
"""Seconds the control plane gets to answer; less if the time limit is nearer."""

ACT_TIMEOUT: Final = 30.0
"""Seconds an action gets: an iisreset answers when it is done, and drains connections before."""


class Server(Protocol):
    """Who serves: ours, one that is started for the run, or one that runs already."""

    url: str
    ca: str | None

    def poll(self) -> int | None:
        """Give its exit code; None while it runs, or if that cannot be known."""

    def look(self, patience: float) -> dict[str, int] | None:
        """Give what it has counted; None if it cannot say."""

    def tick(self) -> None:
        """Write down what can be seen of it from outside."""

    def act(self, action: Action, patience: float, meanwhile: Callable[[], None]) -> None:
        """Do an action to it. Raises MachineError."""

    def is_expected(self, code: int) -> bool:
        """Tell whether it has ended as it was asked to."""

    def stop(self) -> int | None:
        """End it, and give its exit code; None if it is not ours to end."""

    def collect(self) -> list[str]:
        """Bring its records into the run, and say what could not be."""


class Load(Protocol):
    """Who loads it: our burst, or somebody's client program."""

    command: list[str]
    env: Mapping[str, str]
    stdout: int | None

    def begun(self) -> bool:
        """Tell whether it has begun."""

    def ended(self, counts: Mapping[str, int]) -> int:
        """Give how much of it has ended, if the server has counted so much."""

    def line(self) -> str:
        """Say how far it is."""

    def interrupt(self, process: "subprocess.Popen[bytes]") -> None:
        """Ask it to end at once."""

    def finish(self, code: int | None, cut: str | None) -> list[str]:
        """Judge how it ended. Raises VaultstormError."""

    def unmet(self, actions: Sequence[Action]) -> list[str]:
        """Say what it means that actions never came due."""


class Place(NamedTuple):
    """Where a variant runs, and with what.

    Attributes:
        directory: the variant's own, with `journal` in it.
        tls: that of the certificates, the same for all variants of a run.
        port: of the server; 0 for any that is free.
        seed: of the load.
        client: the words of a client program; none for our own burst.
        allow_remote: whether a server may be beyond loopback and private addresses.
    """

    directory: Path
    tls: Path
    port: int
    seed: int
    client: tuple[str, ...] = ()
    allow_remote: bool = False


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
    journal = RunnerJournal(directory / "journal")

    def wait() -> None:
        watch.check()
        show(lambda: f"{variant.name}: the server starts")

    try:
        with _log(directory / "server.log") as server_log, _log(directory / LOG) as log:
            journal.event("variant_started", variant.name)
            with _server(scenario, variant, place, journal, server_log, wait) as server:
                load = _load(scenario, variant, place, server)
                made = _VariantRun(variant, watch, show, server, load, journal)
                made.load(log)
                made.end()
            return made.failures
    except MachineError as error:
        raise MachineError(f"variant {variant.name}: {error}") from error
    finally:
        journal.close()


def _server(
    scenario: Scenario,
    variant: Variant,
    place: Place,
    journal: RunnerJournal,
    log: IO[bytes],
    wait: Callable[[], None],
) -> AbstractContextManager[Server]:
    """Choose who serves."""
    directory, scheme = place.directory, scenario.scheme(variant)
    target = scenario.served_by(variant)
    if target is None:
        kept = acknowledged.directory(scenario.settings(variant), directory)
        options = [
            f"--config={directory / 'server.toml'}",
            f"--journal={directory / 'journal'}",
            f"--tls-dir={place.tls}",
            f"--set=vault.Directory={kept}",
            f"--port={place.port}",
            *(f"--hotfix={name}" for name in variant.hotfixes),
        ]
        return ours(options, scheme, directory / "server.log", log, wait)
    if target.url is not None:
        return reached(target, values.elsewhere(target, directory), scheme, directory, wait)
    texts = [word for action in variant.actions for word in action.command]
    filled = values.started(target, directory, place.tls, place.port, scheme, texts)
    return started(target, filled, scheme, directory, journal, log, wait)


def _load(scenario: Scenario, variant: Variant, place: Place, server: Server) -> Load:
    """Choose who loads."""
    plan = scenario.plan(variant, place.seed)
    if place.client:
        aim = Aim(variant.name, server.url, server.ca, place.seed)
        return ClientLoad(place.client, plan, aim, place.directory)
    return BurstLoad(plan, server.url, server.ca, place.directory, place.allow_remote)


class _VariantRun:
    """A variant whose server is ready."""

    def __init__(
        self,
        variant: Variant,
        watch: Watch,
        show: Show,
        server: Server,
        load: Load,
        journal: RunnerJournal,
    ) -> None:
        self.failures: list[str] = []
        self._variant = variant
        self._watch = watch
        self._show = show
        self._server = server
        self._load = load
        self._journal = journal
        self._schedule = Schedule(variant.actions)
        self._done: set[int] = set()
        self._exit: int | None = None
        self._began: float | None = None

    def load(self, log: IO[bytes]) -> None:
        """Run the load from its first SYN to its last attempt, and the actions beside it."""
        self._watch.check()
        self._server.tick()
        for action in self._schedule.before():
            self._act(action)
        stdout = self._load.stdout or log
        with running(self._load.command, stdout, self._load.env, log) as load:
            try:
                while load.poll() is None:
                    self._turn()
                    time.sleep(TICK)
            except Cut as cut:
                self.failures.append(str(cut))
                self._load.interrupt(load)
                _wait(load, LOAD_GRACE)
            code = load.poll()
        self._journal.event("load_finished", how(code))
        unmet = [] if self._watch.reason else self._load.unmet(self._schedule.pending)
        self.failures += [*self._load.finish(code, self._watch.reason), *unmet]

    def end(self) -> None:
        """End the server in good order, and write down how it ended."""
        code = self._server.stop()  # also of what an upgrade has put in its place
        if self._exit is None and code is not None:
            self._note_exit(code)
        self.failures += self._server.collect()

    def _turn(self) -> None:
        self._watch.check()
        self._server.tick()
        now = time.monotonic()
        if self._began is None and self._load.begun():
            self._began = now
            self._journal.event("load_started")
        code = self._server.poll()
        if code is not None and self._exit is None:
            self._note_exit(code)
        elapsed = now - self._began if self._began is not None else 0.0
        self._show(lambda: f"{self._variant.name}: {elapsed:.1f} s, {self._load.line()}")
        while self._began is not None:
            action = self._schedule.next(elapsed, self._look)
            if action is None:
                return
            self._act(action)

    def _note_exit(self, code: int) -> None:
        self._exit = code
        self._journal.event("server_exited", how(code))
        if not self._server.is_expected(code):
            self.failures.append(f"the server ended by itself, with {how(code)}")

    def _look(self) -> Mapping[str, int] | None:
        if self._exit is not None:
            return None
        counts = self._server.look(self._patience(ASK_TIMEOUT))
        return None if counts is None else {**counts, ENDED: self._load.ended(counts)}

    def _act(self, action: Action) -> None:
        """Have an action done; what cannot be done is a failure, said once.

        Of an action that is repeated, a later time that the server refuses is passed over.
        """
        try:
            self._server.act(action, self._patience(ACT_TIMEOUT), self._meanwhile)
        except MachineError as error:
            if isinstance(error, Refused) and id(action) in self._done:
                return
            failure = f"{action}: {error}"
            if self._server.poll() is not None:
                failure = f"the server had ended before the action came due: {action}"
            if failure not in self.failures:
                self.failures.append(failure)
        else:
            self._journal.event("action", action.action)
        finally:
            self._done.add(id(action))

    def _meanwhile(self) -> None:
        self._watch.check()
        self._server.tick()

    def _patience(self, most: float) -> float:
        return max(0.1, min(most, self._watch.left))


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
