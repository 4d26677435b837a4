"""A pool's policy under a virtual clock, with processes that do what a test says, and no more."""

from collections.abc import Sequence
from typing import Final

from vaultstorm_server.settings import AppPool
from vaultstorm_server.w3svc import actions as asked
from vaultstorm_server.w3svc.actions import Action
from vaultstorm_server.w3svc.policy import PoolPolicy
from vaultstorm_server.w3svc.worker import Worker

QUIET: Final = AppPool(PeriodicRestartTime=0.0, IdleTimeout=0.0, PingingEnabled=0)
"""A pool in which nothing happens by itself."""


def steps(actions: Sequence[Action]) -> list[str]:
    """Say what is asked, a few words each, and leave out what is only written down."""
    return [_said(action) for action in actions if not isinstance(action, asked.Note | asked.Log)]


def notes(actions: Sequence[Action]) -> list[str]:
    """Say what is noted: name, number of the worker, detail."""
    return [
        " ".join(
            [
                action.name,
                *([str(action.worker.number)] if action.worker else []),
                *([f"({action.detail})"] if action.detail else []),
            ]
        )
        for action in actions
        if isinstance(action, asked.Note)
    ]


def logged(actions: Sequence[Action]) -> list[tuple[int | None, int | None]]:
    """Give number and process of each entry of the event log."""
    return [(a.entry.event_id, a.entry.worker) for a in actions if isinstance(a, asked.Log)]


def _said(action: Action) -> str:
    name = type(action).__name__.lower()
    if isinstance(action, asked.Refuse):
        return f"{name} {action.reason}"
    worker = getattr(action, "worker", None)
    return f"{name} {worker.number}" if worker is not None else name


class Model:
    """What the shell would know of one process: it minds every action that makes no sense."""

    def __init__(self) -> None:
        self.life = "starting"
        self.dropped = self.killed = self.pinged = False

    def start(self) -> None:
        """Reject a second start of it."""
        raise AssertionError("started twice")

    def serve(self) -> None:
        """Only one that starts can come to serve."""
        assert (self.life, self.dropped) == ("starting", False)
        self.life = "serving"

    def stop(self) -> None:
        """Only one that serves can be told to end, and once."""
        assert (self.life, self.dropped) == ("serving", False)
        self.life = "stopping"

    def ping(self) -> None:
        """Only one that serves can be pinged, and not again before it has answered."""
        assert (self.life, self.dropped, self.pinged) == ("serving", False, False)
        self.pinged = True

    def measure(self) -> None:
        """Only one that serves can be measured."""
        assert (self.life, self.dropped) == ("serving", False)

    def drop(self) -> None:
        """It is lost once."""
        assert not self.dropped
        self.dropped = True

    def kill(self) -> None:
        """It is killed once, while it is there, after its requests were given up."""
        assert self.life not in ("ended", "orphaned")
        assert (self.dropped, self.killed) == (True, False)
        self.killed = True

    def orphan(self) -> None:
        """It is let go of alive, its channel as it is."""
        assert self.life not in ("ended", "orphaned")
        assert not self.killed
        self.life = "orphaned"


class Driven:
    """Carries out what a policy asks, in the order in which it asks it."""

    def __init__(self, settings: AppPool = QUIET) -> None:
        self.now = 1_000_000.0
        self.settings = settings
        self.policy = PoolPolicy(settings, self.now)
        self.models: dict[Worker, Model] = {}
        self.refusal: str | None = "N/A"
        self.forks = True
        """Whether a process can be made."""

    def __getitem__(self, number: int) -> Worker:
        return next(worker for worker in self.models if worker.number == number)

    @property
    def living(self) -> list[Worker]:
        """Workers whose process the policy still has to do with."""
        gone = ("ended", "orphaned")
        return [worker for worker, model in self.models.items() if model.life not in gone]

    def do(self, actions: list[Action]) -> list[Action]:
        """Carry out some actions; give them, and those that followed at once."""
        done = self._carry_out_all(actions)
        self.check()
        return done

    def check(self) -> None:
        """Hold the policy to the limits that it has at every moment."""
        busy = [w for w in self.living if w.state == "starting" or w.fresh]
        assert len(busy) <= self.settings.MaxProcesses
        assert set(self.policy.workers) == set(self.living)
        if self.policy.enabled and self.policy.wanted:
            assert self.living or self.policy.deadline is not None

    def up(self, *numbers: int) -> list[Action]:
        """Let workers say hello."""
        return [a for n in numbers for a in self.do(self.policy.hello(self[n], self.now))]

    def exit(self, number: int, how: str = "exit status 0", status: int = 0) -> list[Action]:
        """Let a process end."""
        worker = self[number]
        if self.models[worker].life != "orphaned":
            self.models[worker].life = "ended"
        return self.do(self.policy.exited(worker, how, status, self.now))

    def tick(self, until: float) -> list[Action]:
        """Follow the deadlines up to so many seconds from here; every one must lead on."""
        end = self.now + until
        done = []
        while (deadline := self.policy.deadline) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            done += self.do(self.policy.tick(self.now))
            following = self.policy.deadline
            assert following is None or following > self.now
        self.now = end
        return done

    def _carry_out_all(self, actions: list[Action]) -> list[Action]:
        done = list(actions)
        for action in actions:
            done += self._carry_out(action)
        return done

    def _carry_out(self, action: Action) -> list[Action]:
        if isinstance(action, asked.Start):
            return self._start(action.worker)
        if isinstance(action, asked.Refuse):
            assert self.refusal != action.reason
            self.refusal = action.reason
        elif isinstance(action, asked.Admit):
            assert self.refusal is not None
            self.refusal = None
        elif not isinstance(action, asked.Note | asked.Log):
            getattr(self.models[action.worker], type(action).__name__.lower())()
        return []

    def _start(self, worker: Worker) -> list[Action]:
        assert worker not in self.models
        if not self.forks:
            error = "Cannot allocate memory"
            return self._carry_out_all(self.policy.not_started(worker, error, self.now))
        self.models[worker] = Model()
        worker.pid = 100 + worker.number
        overlapped = not self.settings.DisallowOverlappingRotation
        counted = [w for w in self.living if not (overlapped and w.stopped)]
        assert len(counted) <= self.settings.MaxProcesses * (2 if overlapped else 1)
        return []


def started(settings: AppPool = QUIET) -> Driven:
    """Start a pool and let all its workers say hello."""
    driven = Driven(settings)
    driven.do(driven.policy.start(driven.now))
    driven.up(*range(1, settings.MaxProcesses + 1))
    return driven
