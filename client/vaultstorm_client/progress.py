"""Live progress on a terminal; nothing in a pipe."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from vaultstorm_client.engine import Progress
from vaultstorm_client.plan import Plan
from vaultstorm_client.rpc.counts import ACTIVATION
from vaultstorm_client.tally import Counts


@contextmanager
def progress(plan: Plan) -> Iterator[Progress | None]:
    """Show what has been counted, on standard error, while the burst runs.

    It is drawn only when the burst calls, in the burst's own thread: a thread that draws would
    take the interpreter away from a spike.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("[green]{task.fields[ok]} ok[/] [red]{task.fields[lost]} lost[/]"),
    )
    with Progress(
        *columns, console=Console(stderr=True), auto_refresh=False, transient=True
    ) as bar:
        total = plan.clients * plan.requests if plan.clients and plan.requests else None
        task = bar.add_task("burst", total=total, ok=0, lost=0)

        def show(counts: Counts) -> None:
            vault = counts.vault
            snapshots = vault.committed + vault.failed + vault.cut
            rounds = counts.rpc.get(ACTIVATION)
            requests = counts.attempts if rounds is None else rounds.attempts
            done = snapshots if plan.agents else requests
            bar.update(task, completed=done, ok=counts.ok, lost=counts.lost, refresh=True)

        yield show
