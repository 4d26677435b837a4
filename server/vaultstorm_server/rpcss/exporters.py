"""The object exporters that run, each started when its application is first activated."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain

import structlog
from msgspec.structs import replace

from vaultstorm_server import clock
from vaultstorm_server.afd.listener import Listener, open_listener
from vaultstorm_server.rpcss.applications import Application
from vaultstorm_server.rpcss.endpoint import Surroundings
from vaultstorm_server.rpcss.exporter import Exporter
from vaultstorm_server.rpcss.objects import ObjectTable
from vaultstorm_server.settings import Settings
from vaultstorm_wire.errors import MachineError
from vaultstorm_wire.journal import Event

log = structlog.get_logger()


class Exporters:
    """Starts exporters and finds them.

    Args:
        around: what all server processes share.
        host: the address that they listen on.
        settings: for them and their accept queues.
        applications: that can be started, by CLSID.
        objects: of all of them.
        resolver_port: the resolver's.
        draw: gives random bytes.

    Attributes:
        gate_open: their accepts go on.
    """

    def __init__(
        self,
        around: Surroundings,
        host: str,
        settings: Settings,
        applications: Mapping[bytes, Application],
        objects: ObjectTable,
        resolver_port: int,
        draw: Callable[[int], bytes],
    ) -> None:
        self._around = around
        self._host = host
        self._settings = settings
        self._applications = applications
        self._objects = objects
        self._resolver_port = resolver_port
        self._draw = draw
        self._by_clsid: dict[bytes, Exporter] = {}
        self._by_oxid: dict[int, Exporter] = {}
        self.gate_open = True

    def __iter__(self) -> Iterator[Exporter]:
        return iter(self._by_clsid.values())

    def __len__(self) -> int:
        return len(self._by_clsid)

    def is_registered(self, clsid: bytes) -> bool:
        """Tell whether there is such an application."""
        return clsid in self._applications

    def by_oxid(self, oxid: int) -> Exporter | None:
        """Give the exporter with an OXID."""
        return self._by_oxid.get(oxid)

    def start(self, clsid: bytes) -> Exporter | None:
        """Give the exporter of an application, started if it is not; None if it cannot be."""
        running = self._by_clsid.get(clsid)
        if running is not None:
            return running
        application = self._applications[clsid]
        exporter = Exporter(
            self._around,
            application,
            self._settings.rpc,
            int.from_bytes(self._draw(8), "little"),
            self._draw(16),
            self._objects,
            self._resolver_port,
        )
        try:
            listener = self._listen(exporter)
        except MachineError as error:
            log.error(
                "exporter_not_started",
                appid=application.name,
                ports=self._settings.rpc.Ports or "any",
                reason=str(error).partition(": ")[0],  # what follows is advice on --port
            )
            return None
        exporter.listen(listener, self.gate_open)
        log.info("exporter_started", appid=application.name, port=exporter.port)
        self._around.journal.append(
            Event(
                time=clock.now(),
                name="exporter_started",
                detail=application.name,
                port=exporter.port,
            )
        )
        self._by_clsid[clsid] = self._by_oxid[exporter.oxid] = exporter
        return exporter

    def set_gate(self, open: bool) -> None:
        """Let all of them accept, and all to come, or hold them back."""
        self.gate_open = open
        for exporter in self:
            if exporter.listener is not None:
                exporter.listener.set_gate(open)

    def stop(self, *, reset: bool) -> None:
        """End all, the connections with a RST or a FIN."""
        for exporter in self:
            exporter.stop(reset=reset)
        self._by_clsid.clear()
        self._by_oxid.clear()

    def _listen(self, exporter: Exporter) -> Listener:
        """Listen on the first port of `rpc.Ports` that can be had; without them, on a free one."""
        settings = self._settings
        afd = replace(
            settings.afd,
            Backlog=exporter.application.max_calls,
            AcceptInterval=settings.rpc.AcceptInterval,
        )
        settings = replace(settings, afd=afd)
        ranges = settings.rpc.port_ranges or (range(1),)
        failure = MachineError("rpc.Ports names no port")
        for port in chain.from_iterable(ranges):
            try:
                return open_listener(
                    self._around.loop,
                    self._host,
                    port,
                    settings,
                    exporter.take,
                    self._around.journal,
                )
            except MachineError as error:
                failure = error
        raise failure
