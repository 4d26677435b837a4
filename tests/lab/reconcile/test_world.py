"""Worlds whose every attempt has a known fate: journals are written, and the fate comes back."""

import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lab.reconcile.harness import (
    Run,
    attempt,
    event,
    execution,
    lost,
    pause,
    request,
    turned_away,
)
from vaultstorm.reconcile.rules import TOLERANCE
from vaultstorm_wire.journal import AnyRecord, Attempt

OTHER: Final = 22
"""The pid of a second worker: its journal may be missing or cut off."""


class Story(NamedTuple):
    """An attempt and what was written about it."""

    attempt: Attempt
    front: list[AnyRecord]
    worker: list[AnyRecord]
    cause: str | None
    verdict: str
    """With all evidence; `unseen` without it."""
    unseen: str


class Place(NamedTuple):
    """Where in the world a story happens."""

    id: str
    local: str
    start: float
    """Of the attempt, by the client's clock; it has a second."""
    skew: float
    """What the server's clock is ahead."""

    def tried(self, outcome: str, **more: Any) -> Attempt:
        """Give the attempt."""
        return attempt(outcome, self.start, self.start + 1, id=self.id, local=self.local, **more)

    def at(self, offset: float) -> float:
        """Give a moment of the attempt by the server's clock."""
        return self.start + offset + self.skew

    def asked(self, **more: Any) -> AnyRecord:
        """Give the request."""
        return request(self.id, **({"time": self.at(0.5), "answered": self.at(0.6)} | more))


def _served(p: Place) -> Story:
    return Story(p.tried("ok"), [p.asked()], [execution(p.id)], None, "once", "once")


def _held(p: Place) -> Story:
    return Story(p.tried("ok", sent=0), [], [], None, "never", "never")


def _not_found(p: Place) -> Story:
    run: list[AnyRecord] = [execution(p.id, 404)]
    return Story(p.tried("http.404"), [p.asked(status=404)], run, "response", "once", "once")


def _turned_away(p: Place) -> Story:
    record = turned_away(p.at(1.0), peer=p.local)
    return Story(p.tried("tls.reset"), [record], [], "backlog_full", "never", "never")


def _stopping(p: Place) -> Story:
    record = turned_away(p.at(0.3), "stopping", p.local)
    return Story(p.tried("connect.reset"), [record], [], "stopping", "never", "never")


def _refused(p: Place) -> Story:
    record = pause(p.at(-1.0), p.at(0.0))
    return Story(p.tried("connect.refused"), [record], [], "backlog_full", "never", "never")


def _unseen(p: Place) -> Story:
    record = pause(p.at(1.0), p.at(1.5))
    return Story(p.tried("tls.reset"), [record], [], "backlog_full", "never", "never")


def _dropped(p: Place) -> Story:
    record = pause(p.at(0.2), p.at(3.0), "drop")
    return Story(p.tried("connect.timeout"), [record], [], "backlog_full", "never", "never")


def _abandoned(p: Place) -> Story:
    cause = "Connection_Abandoned_By_AppPool"
    return Story(p.tried("wait.closed"), [lost(cause, p.id)], [], cause, "never", "unknown")


def _executed_and_abandoned(p: Place) -> Story:
    told = _abandoned(p)
    return told._replace(worker=[execution(p.id)], verdict="once", unseen="once")


def _queue_full(p: Place) -> Story:
    record = p.asked(worker=None, status=503, cause="QueueFull")
    return Story(p.tried("http.503"), [record], [], "QueueFull", "never", "never")


def _out_of_ports(p: Place) -> Story:
    return Story(p.tried("connect.local"), [], [], "client", "never", "never")


def _inexplicable(p: Place) -> Story:
    return Story(p.tried("wait.reset"), [], [], None, "never", "unknown")


FATES: Final[tuple[Callable[[Place], Story], ...]] = (
    _served,
    _held,
    _not_found,
    _turned_away,
    _stopping,
    _refused,
    _unseen,
    _dropped,
    _abandoned,
    _executed_and_abandoned,
    _queue_full,
    _out_of_ports,
    _inexplicable,
)
EVIDENCE: Final = ("whole", "cut off", "missing")
ENDS: Final = {None: None, "signal 9": "server_died", "exit 0": "server_stopped"}
"""How the server ends after all stories, and what that makes of the attempts that follow."""

# A story has ten seconds, so that none is explained by what belongs to its neighbours; there are
# fewer ports than stories.
stories = st.lists(
    st.tuples(st.sampled_from(FATES), st.sampled_from(("40000", "40001", "40002"))), max_size=20
)


def tell(
    run: Run,
    told: list[tuple[Callable[[Place], Story], str]],
    skew: float,
    evidence: str,
    end: str | None,
) -> dict[str, tuple[str | None, str]]:
    """Write the world down, and give cause and verdict of every attempt by its id."""
    truth, attempts = {}, []
    run.front(event("worker_started", worker=OTHER))
    for number, (fate, port) in enumerate(told):
        place = Place(f"id-{number}", f"127.0.0.1:{port}", 100.0 + 10 * number, skew)
        story = fate(place)
        attempts.append(story.attempt)
        run.front(*story.front)
        run.worker(*story.worker)
        verdict = story.verdict if evidence == "whole" else story.unseen
        truth[place.id] = (story.cause, verdict)
    over = 100.0 + 10 * len(told)
    run.front(event("stopping" if end == "exit 0" else "gate_closed", over + skew))
    if end is not None:
        run.exited(end)
    for number in range(2):
        last = attempt("connect.refused", over, over + number, id=f"last-{number}", local=None)
        attempts.append(last)
        truth[last.id] = (ENDS[end], "never")
    run.client(*attempts)
    if evidence != "missing":
        run.write("worker", OTHER, cut=b'{"re' if evidence == "cut off" else b"")
    return truth


def shuffle(run: Run, chance: random.Random) -> None:
    """Bring the whole lines of every journal, and the names of the journals, out of order."""
    paths = sorted(run.journals.iterdir())
    contents = []
    for path in paths:
        *lines, cut = path.read_bytes().split(b"\n")
        chance.shuffle(lines)
        contents.append(b"".join(line + b"\n" for line in lines) + cut)
    chance.shuffle(contents)
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)


def answer(run: Run) -> dict[str, tuple[str | None, str]]:
    """Reconcile, and give cause and verdict of every attempt by its id."""
    assert run.reconcile() == []
    rows = run.rows("SELECT id, cause, verdict FROM attempt")
    return {id: (cause, verdict) for id, cause, verdict in rows}


@settings(deadline=None, max_examples=60)
@given(
    stories,
    st.floats(-TOLERANCE / 2, TOLERANCE / 2),
    st.sampled_from(EVIDENCE),
    st.sampled_from(tuple(ENDS)),
    st.randoms(use_true_random=False),
)
def test_the_truth_comes_back_whatever_the_order(
    told: list[tuple[Callable[[Place], Story], str]],
    skew: float,
    evidence: str,
    end: str | None,
    chance: random.Random,
) -> None:
    """Causes and verdicts are exactly the true ones; order of lines and names of files are air."""
    with tempfile.TemporaryDirectory() as directory:
        run = Run(Path(directory) / "run")
        truth = tell(run, told, skew, evidence, end)
        assert answer(run) == truth
        summary = run.summary()
        shuffle(run, chance)
        assert answer(run) == truth
        assert run.summary() == summary
