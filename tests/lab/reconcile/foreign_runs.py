"""Runs against somebody else's server, made of records written by hand."""

from collections.abc import Sequence
from typing import Any

from tests.lab.reconcile.harness import Run, attempt, event
from vaultstorm.reconcile import Variant, reconcile
from vaultstorm_wire.journal import Attempt, Begun, Execution, Record


def ran(id: str, status: int = 200, **more: Any) -> Execution:
    """Give what a middleware writes down; of a log with `source`."""
    fields: dict[str, Any] = {"time": 10.5, "worker": 21, "method": "GET", "target": "/"} | more
    return Execution(id=id, status=status, **fields)


def logged(id: str, status: int = 200) -> Execution:
    """Give a line of an access log."""
    return ran(id, status, source="access_log", worker=0, time=10.0)


def began(id: str) -> Begun:
    """Give what a middleware writes before the application is entered."""
    return Begun(time=10.4, id=id, worker=21)


class Foreign(Run):
    """A run against a foreign server that has ended as it was asked to, after the load."""

    def __init__(self, run: Run) -> None:
        self.directory, self.folder, self.journals = run.directory, run.folder, run.journals
        for path in self.journals.iterdir():
            path.unlink()
        self.ended = [event("load_finished", 50.0), event("server_exited", 60.0, detail="exit 0")]

    def judge(
        self, records: Sequence[Record], *attempts: Attempt, runner: Sequence[Record] | None = None
    ) -> dict[str, Any]:
        """Reconcile, and give id, verdict and cause of every attempt; nothing is a violation."""
        self.client(*attempts)
        if records:
            self.worker(*records)  # type: ignore[arg-type]
        done = self.ended if runner is None else runner
        self.write("runner", 41, *done)  # type: ignore[arg-type]
        assert reconcile(self.directory, [Variant("v", server="foreign")]) == []
        return {
            id: tuple(rest) for id, *rest in self.rows("SELECT id, verdict, cause FROM attempt")
        }


OK = attempt("ok", id="ok")
SERVED = [began("ok"), ran("ok")]
LOST = attempt("wait.closed", id="lost")


def gaps(run: Run) -> dict[str, str]:
    """Give what is missing from the records."""
    return dict(run.rows("SELECT kind, detail FROM gap"))
