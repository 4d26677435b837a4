"""The part of a burst that one process makes: its clients, and what they share."""

import gc
import ssl
from collections.abc import Callable, Iterator
from typing import Final

from vaultstorm_client import sources
from vaultstorm_client.agent import sizes
from vaultstorm_client.agent.agent import Agent
from vaultstorm_client.agent.blocks import Blocks
from vaultstorm_client.agent.calls import Call
from vaultstorm_client.agent.ledger import Ledger
from vaultstorm_client.attempt import Attempt
from vaultstorm_client.client import Client
from vaultstorm_client.clock import monotonic
from vaultstorm_client.journal import JournalFile
from vaultstorm_client.lane import Crew
from vaultstorm_client.loop import NEVER, Loop
from vaultstorm_client.plan import Plan
from vaultstorm_client.requests import CallTemplate, RequestTemplate
from vaultstorm_client.rpc.client import RpcClient
from vaultstorm_client.rpc.shared import Shared
from vaultstorm_client.tally import Counts, Tally
from vaultstorm_client.target import Address, Target
from vaultstorm_wire import journal as records

TICK: Final = 0.1
"""Seconds between two looks at the progress, and two flushes of the journal."""

Progress = Callable[[Counts], None]


class Engine:
    """Runs some of a plan's clients to their end.

    Args:
        share: which clients, or agents: every `processes`-th, beginning with this one.
        tls: for ``https://``; None otherwise.
        arrivals: when each of those clients arrives, in seconds from the start; empty for a spike.
        journal: where attempts are written down; None for nowhere.
        progress: is given the counts now and then, never during a spike.
    """

    def __init__(
        self,
        plan: Plan,
        target: Target,
        tls: ssl.SSLContext | None,
        journal: JournalFile | None = None,
        share: int = 0,
        progress: Progress | None = None,
    ) -> None:
        self.plan = plan
        self.scheme = target.scheme
        self.host = target.host
        self.address = target.address
        self.tls = tls
        self.tally = Tally()
        self.loop = Loop()
        self.rpc = Shared(plan, target) if target.scheme == "rpc" else None
        self._peer = str(target.address)
        self._journal = journal
        self._share = share
        self._seed = f"{plan.seed:016x}"
        self._progress = progress
        self._template = RequestTemplate(plan, target)
        self._call_template = CallTemplate(target)
        self._blocks = Blocks(plan.seed, plan.blocks, sizes.parse(plan.block_sizes))
        self._sources = sources.addresses(target, _connections(plan), sources.port_count())
        self._connections = 0
        self._alive: set[Client] = set()
        self._interrupted = False
        self.stop_at = NEVER
        """From when on nothing is begun."""

    # What the clients ask for.

    def request_id(self, client: int, made: int) -> str:
        """Name a request: the same for the same seed, however many processes share the burst."""
        return f"{self._seed}-{client}-{made}"

    def request(self, request_id: str, last: bool) -> bytes:
        """Give the bytes of a request."""
        return self._template.fill(request_id, last)

    def call(self, call: Call, request_id: str, last: bool) -> bytes:
        """Give the bytes of the request that makes an agent's call."""
        return self._call_template.fill(call, request_id, last)

    def next_connection(self) -> int:
        """Number a new connection."""
        self._connections += 1
        return self._connections

    def connection_id(self, number: int) -> str:
        """Name a connection, unique in the burst."""
        return f"{self._share}.{number}"

    def source(self, client: int, to: Address) -> str | None:
        """Give the address that a client comes from; None for the kernel's choice."""
        source = self._sources[client % len(self._sources)]
        return source if source is None or sources.on_loopback(to) else None

    def more(self, made: int) -> bool:
        """Tell whether a client that has made so many attempts is to go on."""
        return self.plan.requests is None or made < self.plan.requests

    def over(self, now: float) -> bool:
        """Tell whether nothing new is begun any more."""
        return self._interrupted or now >= self.stop_at

    def syn(self, instant: float) -> None:
        """Take note of when a connection's first SYN left."""
        counts = self.tally.counts
        counts.connects += 1
        if counts.first_syn is None or instant < counts.first_syn:
            counts.first_syn = instant
        if counts.last_syn is None or instant > counts.last_syn:
            counts.last_syn = instant

    def ended(
        self, attempt: Attempt, outcome: str, end: float, errno: str | None, detail: str | None
    ) -> None:
        """Count an attempt and write it down."""
        self.tally.count(attempt, outcome, end)
        self.tally.counts.ended = monotonic()
        if self._journal is not None:
            self._journal.append(attempt.record(self._peer, outcome, end, errno, detail))

    def acknowledged(self, record: records.Acknowledged) -> None:
        """Write down what a vault has said it keeps."""
        if self._journal is not None:
            self._journal.append(record)

    def retired(self, client: Client) -> None:
        """Let go of a client that has made its last attempt."""
        self._alive.discard(client)

    # The run.

    def prepare_spike(self, clients: Iterator[int]) -> list[Client]:
        """Make the sockets of a spike, before the first connect()."""
        scheduled = monotonic()
        made = [self._new_client(index, scheduled) for index in clients]
        return [client for client in made if client.prepare()]

    def spike(self, clients: list[Client]) -> None:
        """Connect them all in one tight loop, in which nothing else runs."""
        collecting = gc.isenabled()
        gc.disable()
        self.loop.wake()
        start = monotonic()
        results = [client.connect(monotonic()) for client in clients]
        if collecting:
            gc.enable()
        for client, result in zip(clients, results, strict=True):
            client.reschedule(start)
            client.connecting(result)

    def run(self, arrivals: Iterator[tuple[int, float]], start: float) -> Tally:
        """Take in clients as they arrive, and go on until the last has made its last attempt.

        Args:
            arrivals: number and offset in seconds of each client that is not part of a spike.
            start: the instant that offsets and `duration` count from.
        """
        counts = self.tally.counts
        counts.began = start
        if not self.plan.spike:
            self.loop.wake()
        if self.plan.duration is not None:
            self.stop_at = start + self.plan.duration
        upcoming = next(arrivals, None)
        next_tick = start + TICK
        while upcoming is not None or self._alive or not self.loop.idle:
            due = NEVER if upcoming is None else start + upcoming[1]
            self.loop.run_once(min(due, next_tick))
            now = monotonic()
            while upcoming is not None and start + upcoming[1] <= now:
                self._arrive(upcoming[0], start + upcoming[1])
                upcoming = next(arrivals, None)
            if now >= next_tick:
                self._tick()
                next_tick = now + TICK
            if self._interrupted:
                upcoming = None
                self._stop()
        counts.ended = counts.ended or start
        self._tick()
        self._note_lag()
        return self.tally

    def interrupt(self) -> None:
        """Begin nothing new, and end what is under way as the client's own doing.

        Safe in a signal handler: it takes effect within one tick.
        """
        self._interrupted = True

    def close(self) -> None:
        """Close the loop's descriptor and the journal."""
        self.loop.close()
        if self._journal is not None:
            self._journal.close()

    def _arrive(self, index: int, scheduled: float) -> None:
        self._new_client(index, scheduled).expired(monotonic())

    def _new_client(self, index: int, scheduled: float) -> Client:
        """Make a client, or an agent with its lanes; gives the one to begin with."""
        plan = self.plan
        if not plan.agents:
            kind = Client if self.rpc is None else RpcClient
            client = kind(self, index, scheduled)
            self._alive.add(client)
            return client
        ledger = Ledger(self.tally.counts.vault)
        agent = Agent(index, self._blocks, ledger, plan.requests, plan.think)
        lanes = Crew(self, agent, plan.lanes, scheduled).lanes
        self._alive.update(lanes)
        return lanes[0]

    def _stop(self) -> None:
        for client in list(self._alive):
            client.interrupt()

    def _tick(self) -> None:
        if self._journal is not None:
            self._journal.flush()
        if self._progress is not None:
            self._progress(self.tally.counts)

    def _note_lag(self) -> None:
        counts, lag = self.tally.counts, self.loop.lag
        counts.lag = lag.worst
        assert counts.began is not None
        assert counts.ended is not None
        counts.busy = lag.busy / max(counts.ended - counts.began, 1e-9)
        counts.saturated = lag.saturated


def _connections(plan: Plan) -> int:
    """How many connections the burst may have or have had open within a minute or so."""
    clients = plan.clients or int((plan.rate or 1) * min(plan.duration or 60.0, 60.0))
    clients *= plan.lanes if plan.agents else 1
    return clients if plan.keep_alive else clients * min(plan.requests or 100, 100)
