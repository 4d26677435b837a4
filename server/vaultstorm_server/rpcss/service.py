"""RPCSS as a whole: the resolver's port, the object exporters, and what both know."""

import asyncio
import os
import socket
from itertools import count
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from vaultstorm_server import clock
from vaultstorm_server.afd.bind import reachable
from vaultstorm_server.afd.listener import ListenerStatistics, open_listener
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.rpcss.activator import Activator
from vaultstorm_server.rpcss.applications import applications
from vaultstorm_server.rpcss.endpoint import Endpoint, Surroundings
from vaultstorm_server.rpcss.endpoint_mapper import EndpointMapper
from vaultstorm_server.rpcss.exporter import Exporter
from vaultstorm_server.rpcss.exporters import Exporters
from vaultstorm_server.rpcss.management import Management
from vaultstorm_server.rpcss.objects import ObjectTable
from vaultstorm_server.rpcss.outbox import Outbox
from vaultstorm_server.rpcss.ping_sets import PingSets
from vaultstorm_server.rpcss.resolver import Resolver
from vaultstorm_server.settings import Settings

ENTRIES_PER_OBJECT: Final = 4
"""Ping sets, and objects in them, that are kept for each object that there may be."""
SWEEP_INTERVAL: Final = 1.0
"""Seconds between two looks at what has expired; less where the ping period is short."""


class ExporterStatistics(Struct, frozen=True, kw_only=True):
    """One object exporter.

    Attributes:
        port: that it is reached at.
        max_calls: what it asked listen() for.
        listener: its accept queue.
        connections: that are not closed.
        calls_in_progress: that the call limit counts.
        calls_executed: of the demonstration's method.
        calls_refused: nca_server_too_busy.
    """

    port: int
    max_calls: int
    listener: ListenerStatistics
    connections: int
    calls_in_progress: int
    calls_executed: int
    calls_refused: int


class Statistics(Struct, frozen=True, kw_only=True):
    """Everything; calls executed and refused since the first start, the rest since the last.

    Attributes:
        resolver: the resolver's accept queue.
        exporters: by AppID.
        objects: at present.
        oxids: exporters that run.
        ping_sets: at present.
        connections: to all ports.
        unfinished: bytes of requests whose last fragment has not come.
        bugs: calls and connections that ended for an error of ours.
    """

    resolver: ListenerStatistics
    exporters: dict[str, ExporterStatistics]
    objects: int
    oxids: int
    ping_sets: int
    connections: int
    calls_in_progress: int
    calls_executed: int
    calls_refused: int
    unfinished: int
    bugs: int


class Rpcss:
    """Serves DCOM: activation at the resolver's port, calls at the exporters'.

    Args:
        loop: runs everything; nothing here may be called from another thread.
        host: the address that all ports are on.
        port: the resolver's; 0 for any that is free.
        settings: `rpc`, `AppID`, `afd` and `tcpip` count.
        journal: gets a record of every request and every execution.

    Raises:
        MachineError: the port is taken or not permitted, or no such address is here.
        UsageError: `port` is no port.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        host: str,
        port: int,
        settings: Settings,
        journal: JournalFile,
    ) -> None:
        self._loop = loop
        self._host = host
        self._around = Surroundings(loop, journal, Outbox(loop, journal), count(1))
        self._executed = self._refused = self._turned_away = self._bugs = 0
        self._exporters_open = True
        self._sweeping: asyncio.TimerHandle | None = None
        rpc = settings.rpc
        afd = replace(
            settings.afd, Backlog=rpc.ResolverBacklog, AcceptInterval=rpc.ResolverAcceptInterval
        )
        self._listener = open_listener(
            loop, host, port, replace(settings, afd=afd), self._take, journal
        )
        self._running = True
        self._boot(settings)

    @property
    def port(self) -> int:
        """The resolver's."""
        return self._listener.port

    @property
    def url(self) -> str:
        """Where clients reach the resolver."""
        return reachable("rpc", self._listener.host, self.port)

    def set_gate(self, which: str, open: bool) -> None:
        """Let the resolver accept, or every exporter there is and will be, or hold them back.

        Raises:
            ValueError: `which` is neither ``resolver`` nor ``exporter``.
        """
        if which == "resolver":
            self._listener.set_gate(open)
        elif which == "exporter":
            self._exporters_open = open
            self._exporters.set_gate(open)
        else:
            raise ValueError(f"no gate {which!r}: resolver or exporter")

    def stop(self) -> None:
        """Go down with the computer: everything is reset and forgotten, the port is kept."""
        self._end(reset=True)

    def start(self, settings: Settings) -> None:
        """Come up again on the same port, with other settings; the accept queue's stay.

        Raises:
            OSError: another has taken the port meanwhile: try again.
        """
        if not self._running:
            self._listener.start()
            self._running = True
            self._boot(settings)

    def close(self) -> None:
        """End: connections get FIN, the ports are given back. Does nothing the second time."""
        self._end(reset=False)
        self._listener.close()

    def statistics(self) -> Statistics:
        """Give what there is, and what was counted."""
        exporters = tuple(self._exporters)
        endpoints = (self._endpoint, *(each.endpoint for each in exporters))
        return Statistics(
            resolver=self._listener.statistics(),
            exporters={each.application.name: _statistics(each) for each in exporters},
            objects=len(self._objects),
            oxids=len(exporters),
            ping_sets=len(self._pings),
            connections=sum(len(each.connections) for each in endpoints),
            calls_in_progress=sum(each.calls.in_progress for each in exporters),
            calls_executed=self._executed + sum(e.demonstration.executed for e in exporters),
            calls_refused=self._refused + sum(each.calls.refused for each in exporters),
            unfinished=sum(each.budget.held for each in endpoints),
            bugs=self._bugs + sum(each.bugs for each in endpoints),
        )

    def sample_values(self) -> dict[str, int]:
        """Give what is held at the moment; of the exporters, the sum."""
        resolver = self._listener.queue
        queues = [each.listener.queue for each in self._exporters if each.listener is not None]
        return {
            "resolver_free": resolver.free,
            "resolver_queued": resolver.queued,
            "resolver_turned_away": resolver.turned_away,
            "exporter_free": sum(queue.free for queue in queues),
            "exporter_queued": sum(queue.queued for queue in queues),
            "exporter_turned_away": self._turned_away + sum(q.turned_away for q in queues),
            "objects": len(self._objects),
        }

    def _boot(self, settings: Settings) -> None:
        """Begin with nothing but the applications that are registered."""
        rpc = settings.rpc
        self._objects = ObjectTable(rpc.MaxObjects, rpc.PingPeriod, rpc.PingMisses, os.urandom)
        self._pings = PingSets(
            self._objects, rpc.PingPeriod, rpc.PingMisses, ENTRIES_PER_OBJECT * rpc.MaxObjects
        )
        self._exporters = Exporters(
            self._around,
            self._host,
            settings,
            applications(settings),
            self._objects,
            self.port,
            os.urandom,
        )
        self._exporters.set_gate(self._exporters_open)
        resolver = (
            Resolver(self._exporters, self._pings, self.port).interface(),
            *Activator(self._objects, self._exporters, self.port).interfaces(),
        )
        mapper = EndpointMapper(resolver, self._exporters, self.port, os.urandom)
        management = Management()
        self._endpoint = Endpoint(
            self._around,
            (*resolver, mapper.interface(), management.interface()),
            rpc.MaxFragment,
        )
        self._endpoint.port = self.port
        management.serve(self._endpoint)
        self._interval = min(SWEEP_INTERVAL, rpc.PingPeriod / 4)
        self._sweeping = self._loop.call_later(self._interval, self._sweep)

    def _end(self, *, reset: bool) -> None:
        if not self._running:
            return
        self._running = False
        self._listener.stop()
        if self._sweeping is not None:
            self._sweeping.cancel()
        self._around.outbox.flush()
        exporters = tuple(self._exporters)
        self._exporters.stop(reset=reset)
        self._endpoint.stop(reset=reset)
        for each in exporters:
            self._executed += each.demonstration.executed
            self._refused += each.calls.refused
            self._bugs += each.endpoint.bugs
            if each.listener is not None:
                self._turned_away += each.listener.queue.turned_away
        self._bugs += self._endpoint.bugs
        self._endpoint.bugs = 0
        self._pings.forget()
        self._objects.forget()

    def _take(self, sock: socket.socket, peer: str) -> None:
        self._endpoint.take(sock, peer)

    def _sweep(self) -> None:
        now = clock.now()
        self._pings.expire(now)
        self._objects.expire(now)
        self._sweeping = self._loop.call_later(self._interval, self._sweep)

    def __repr__(self) -> str:
        return f"<Rpcss {self.url}: {len(self._exporters)} exporters, {len(self._objects)} objects>"


def _statistics(exporter: Exporter) -> ExporterStatistics:
    assert exporter.listener is not None
    return ExporterStatistics(
        port=exporter.port,
        max_calls=exporter.application.max_calls,
        listener=exporter.listener.statistics(),
        connections=len(exporter.endpoint.connections),
        calls_in_progress=exporter.calls.in_progress,
        calls_executed=exporter.demonstration.executed,
        calls_refused=exporter.calls.refused,
    )
