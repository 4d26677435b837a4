"""(i) kill -9 over worker and front process, under load: nothing acknowledged may be lost.

Not among the measurements that are made by default; ``python -m bench kills``. A target that is
missed is a failure here: exit 1.
"""

import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from bench import servers
from bench.children import BenchError
from bench.https import Answer
from bench.interface import Interface, Refused
from bench.procfs import descendants
from bench.result import Column, Measurement
from bench.setup import Setup
from bench.writers import Acknowledged, Writers, block_of
from vaultstorm_server.w3wp.store_check import sha256_of

NAME: Final = "kills"
SEED: Final = 39579
KILLS: Final = 200
AGENTS: Final = 8
READERS: Final = 8
WORKERS: Final = 2
"""Two at a time in one directory, and three while one of them is recycled."""
LONGEST_MS: Final = 400
_PATIENCE_S: Final = 60.0
KILLED: Final = (f"--workers={WORKERS}", "--set=apppool.PeriodicRestartRequests=300")
"""What the server that is killed has beside `SETTINGS`."""
SETTINGS: Final = (
    "--hotfix=all",
    "--set=apppool.RapidFailProtection=0",
    "--set=vault.Quota=0",
    "--set=vault.MaxInterfaces=100000",
)


class Kill(NamedTuple):
    """One of them."""

    front: bool
    """The front process, and with it the server; or one of its worker processes."""
    early: bool
    """The time runs from the start of the process before it, not from the first acknowledgement
    after it: so starts are met as well."""
    after_ms: int
    which: float
    """Chooses among the worker processes: 0 to 1."""


class Found(NamedTuple):
    """How a campaign ended."""

    kills: int
    blocks: int
    snapshots: int
    """Acknowledged."""
    lost: list[str]
    changed: list[str]
    """Acknowledged ones, and any others that do not hash to their names."""
    leftovers: list[Path]
    """Files in tmp, after the last start."""


def plan(seed: int, kills: int) -> list[Kill]:
    """Choose all kills before the first one."""
    chance = random.Random(seed)
    return [
        Kill(
            front=chance.random() < 0.3,
            early=chance.random() < 0.25,
            after_ms=chance.randrange(LONGEST_MS),
            which=chance.random(),
        )
        for _ in range(kills)
    ]


def measure(setup: Setup) -> Measurement:
    """Kill, start again, and read everything back."""
    kills = setup.size(KILLS, 6)
    result = Measurement(
        NAME,
        f"kill -9 under {AGENTS} agents that write without a pause, seed {SEED}",
        [
            Column("kills", "kills", 0),
            Column("blocks", "blocks acknowledged", 0),
            Column("snapshots", "snapshots acknowledged", 0),
            Column("lost", "lost", 0),
            Column("changed", "changed", 0),
            Column("leftovers", "left in tmp", 0),
        ],
    )
    found = campaign(setup, plan(SEED, kills))
    row = result.row("acknowledged data")
    row.add(kills=found.kills, blocks=found.blocks, snapshots=found.snapshots)
    row.add(lost=len(found.lost), changed=len(found.changed), leftovers=len(found.leftovers))
    result.notes += [f"lost: {name}" for name in found.lost[:5]]
    result.notes += [f"changed: {name}" for name in found.changed[:5]]
    for key in ("lost", "changed", "leftovers"):
        result.hold(key, row.value(key), 0)
    result.hold("kills", found.kills, kills, at_most=False)
    return result


def campaign(setup: Setup, kills: list[Kill]) -> Found:
    """Run the server again and again under the same agents, then read back what they were told."""
    directory = setup.folder / "killed"
    acknowledged = Acknowledged()
    writers = Writers(AGENTS, SEED, acknowledged)
    rest = list(kills)
    with writers.running():
        while rest:
            with _server(setup, directory, *KILLED) as server:
                writers.port = server.port
                _life(server, rest, acknowledged)
                writers.port = 0
                print(f"  {len(kills) - len(rest)} kills", end="\r", file=sys.stderr, flush=True)
    with _server(setup, directory) as server:
        lost, changed = read_back(server.port, acknowledged)
        leftovers = [path for path in (directory / "tmp").rglob("*") if path.is_file()]
    changed += [
        name
        for name in os.listdir(directory / "blocks")
        if name not in acknowledged.blocks and sha256_of(directory, "block", name) != name
    ]
    blocks, snapshots = len(acknowledged.blocks), len(acknowledged.snapshots)
    return Found(len(kills), blocks, snapshots, lost, changed, leftovers)


def read_back(port: int, acknowledged: Acknowledged) -> tuple[list[str], list[str]]:
    """Read everything over HTTPS; give what is not there, and what is there and is different."""
    wanted = [("blocks", name) for name in acknowledged.blocks]
    wanted += [("snapshots", name) for name in acknowledged.snapshots]

    def share(number: int) -> list[tuple[str, bool]]:
        with Interface(port) as vault:
            return [
                (f"{kind}/{name}: {got.status}", got.status == 404)
                for kind, name in wanted[number::READERS]
                if (got := _known(vault.read(kind, name))).body != _right(acknowledged, kind, name)
            ]

    try:
        with ThreadPoolExecutor(READERS) as pool:
            bad = [one for found in pool.map(share, range(READERS)) for one in found]
    except (OSError, ValueError, Refused) as error:
        raise BenchError(f"it cannot be read back: {error}") from error
    return [name for name, is_lost in bad if is_lost], [name for name, lost in bad if not lost]


def _right(acknowledged: Acknowledged, kind: str, name: str) -> bytes:
    if kind == "blocks":
        return block_of(acknowledged.blocks[name])
    return acknowledged.snapshots[name]


def _known(answer: Answer) -> Answer:
    """Let pass what tells how a block or a snapshot is.

    Raises:
        Refused: the interface ended, or the server did not answer.
    """
    codes = (b'"unknown_block"', b'"unknown_snapshot"', b'"damaged"')
    if answer.status != 200 and not any(code in answer.body for code in codes):
        raise Refused(f"{answer.status}: {answer.body[:200]!r}")
    return answer


@contextlib.contextmanager
def _server(setup: Setup, directory: Path, *more: str) -> Iterator[servers.Server]:
    options = (f"--set=vault.Directory={directory}", *SETTINGS, *more)
    with servers.vaultstorm(setup.folder, setup.certificate, *options) as server:
        yield server


def _life(server: servers.Server, rest: list[Kill], acknowledged: Acknowledged) -> None:
    """Kill as the plan has it, taking from it, until the front process is the one that dies."""
    while rest:
        kill = rest.pop(0)
        if not kill.early:
            acknowledged.wait_for_more(_PATIENCE_S)
        time.sleep(kill.after_ms / 1000)
        if kill.front:
            os.kill(server.front, signal.SIGKILL)
            server.child.finish(_PATIENCE_S)  # its workers end with the end of their channels
            return
        _kill_worker(server.front, kill.which)


def _kill_worker(front: int, which: float) -> None:
    """Kill one of the worker processes; wait while there are none.

    Raises:
        BenchError: none comes up.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if workers := descendants(front):
            with contextlib.suppress(ProcessLookupError):  # it has ended, in a recycle: another one
                os.kill(workers[int(which * len(workers))], signal.SIGKILL)
                return
        time.sleep(0.005)
    raise BenchError("no worker process was started")
