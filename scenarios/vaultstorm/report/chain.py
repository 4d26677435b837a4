"""How the vault came to hang the pool: the first of each step of TECH39579, in order of time."""

import sqlite3
from typing import Final, NamedTuple

from vaultstorm.events import CORRUPTION_CRASH, VAULT_CHAIN

CLIENT: Final = "client_hang"
"""The first client that gave up on the pool that hung."""
QUEUE_FULL: Final = "queue_full"

STEPS: Final[dict[str, str]] = {
    "reentrance": "A method enters an interface entry that another one is inside of",
    "wrong_release": "DoCleanUp releases an entry with a method inside it",
    "released_entry_touched": "A method touches its entry, which has been released: an exception",
    CORRUPTION_CRASH: "The worker process dies of an entry that has been released",
    "clean_up_died": "DoCleanUp comes to release that entry again: an exception ends its thread",
    "table_full": "The interface table is full: who opens an interface waits, and holds its ISAPI "
    "thread",
    "pool_hung": "All ISAPI threads wait for an entry: nothing is answered any more",
    CLIENT: "The first client gives up: everything is sent, and nothing came back",
    QUEUE_FULL: "The queue of the pool is full, too: who finds it so gets 503 QueueFull",
}
"""What each step is, in a sentence without its end."""


class Link(NamedTuple):
    """One step.

    Attributes:
        time: seconds since the first attempt was due.
        worker: whose step it was; None of a client's or http.sys' own.
        times: how often the worker processes took it; 1 of any other.
    """

    time: float
    name: str
    worker: int | None = None
    detail: str | None = None
    times: int = 1


class Chain(NamedTuple):
    """The steps of one variant, in order of time; at least one."""

    links: tuple[Link, ...]

    @property
    def title(self) -> str:
        """What they led to."""
        names = {link.name for link in self.links}
        if names & {"pool_hung", CLIENT}:
            return "How it came to the hang"
        if CORRUPTION_CRASH in names:
            return "How it came to the crash"
        return "How far it came"

    @property
    def harmless(self) -> bool:
        """Whether methods met in one entry, and nothing followed."""
        return [link.name for link in self.links] == ["reentrance"]


def read(db: sqlite3.Connection, variant: str, zero: float) -> Chain | None:
    """Read the chain of a variant whose first attempt was due at `zero`.

    None if not even two methods met.
    """
    names = (*VAULT_CHAIN, CORRUPTION_CRASH)
    # With one MIN, SQLite takes the other columns from the row that has it.
    rows = db.execute(
        "SELECT MIN(time) - ?, name, worker, detail, COUNT(*) FROM event"
        f" WHERE variant = ? AND name IN ({', '.join('?' * len(names))}) GROUP BY name",
        (zero, variant, *names),
    )
    links = [Link(*row) for row in rows]
    if not links:
        return None
    full = next((link.time for link in links if link.name == "table_full"), None)
    outside = [] if full is None else _outside(db, variant, zero, full)
    return Chain(tuple(sorted([*links, *outside])))


def _outside(db: sqlite3.Connection, variant: str, zero: float, full: float) -> list[Link]:
    """Read what was seen of it outside the worker, once its table was full."""
    links = []
    gone = db.execute(
        'SELECT "end" - ?, outcome, "end" - start FROM attempt'
        " WHERE variant = ? AND cause = 'pool_hung' AND \"end\" - ? >= ?"
        ' ORDER BY "end" LIMIT 1',
        (zero, variant, zero, full),
    ).fetchone()
    if gone is not None:
        time, outcome, took = gone
        links.append(Link(time, CLIENT, detail=f"{outcome} after {took:.3g} s"))
    # A burst may have filled the queue before, which is none of the chain.
    (refused,) = db.execute(
        "SELECT MIN(time) - ? FROM request"
        " WHERE variant = ? AND cause = 'QueueFull' AND time - ? >= ?",
        (zero, variant, zero, full),
    ).fetchone()
    if refused is not None:
        links.append(Link(refused, QUEUE_FULL))
    return links
