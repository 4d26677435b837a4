"""One object exporter: the process of one application, on a port of its own."""

import socket

from vaultstorm_server.afd.listener import Listener
from vaultstorm_server.rpcss.applications import Application
from vaultstorm_server.rpcss.calls import CallLimit
from vaultstorm_server.rpcss.class_factory import ClassFactory
from vaultstorm_server.rpcss.demonstration import Demonstration
from vaultstorm_server.rpcss.endpoint import Endpoint, Surroundings
from vaultstorm_server.rpcss.management import Management
from vaultstorm_server.rpcss.objects import ObjectTable
from vaultstorm_server.rpcss.rem_unknown import RemUnknown
from vaultstorm_server.settings import Rpc


class Exporter:
    """An application that runs.

    Args:
        around: what all server processes share.
        application: which it is.
        settings: of the RPC runtime.
        oxid: its identifier.
        ipid_rem_unknown: the IPID of its IRemUnknown.
        objects: those of all exporters.
        resolver_port: the resolver's.

    Attributes:
        calls: in progress, ended and refused.
        endpoint: its RPC runtime.
        port: that it is reached at.
    """

    def __init__(
        self,
        around: Surroundings,
        application: Application,
        settings: Rpc,
        oxid: int,
        ipid_rem_unknown: bytes,
        objects: ObjectTable,
        resolver_port: int,
    ) -> None:
        self.application = application
        self.oxid = oxid
        self.ipid_rem_unknown = ipid_rem_unknown
        self.calls = CallLimit(settings.CallLimit)
        self.demonstration = Demonstration(objects, oxid, settings.CallTime)
        rem_unknown = RemUnknown(objects, oxid, ipid_rem_unknown, resolver_port)
        management = Management()
        self.endpoint = Endpoint(
            around,
            (
                *rem_unknown.interfaces(),
                *self.demonstration.interfaces(),
                ClassFactory(objects, oxid, resolver_port).interface(),
                management.interface(),
            ),
            settings.MaxFragment,
            self.calls,
        )
        management.serve(self.endpoint)
        self.listener: Listener | None = None

    @property
    def port(self) -> int:
        """That it is reached at."""
        return self.endpoint.port

    def listen(self, listener: Listener, gate_open: bool) -> None:
        """Note where it is reached."""
        self.listener = listener
        self.endpoint.port = listener.port
        listener.set_gate(gate_open)

    def take(self, sock: socket.socket, peer: str) -> None:
        """Serve a connection."""
        self.endpoint.take(sock, peer)

    def stop(self, *, reset: bool) -> None:
        """End: the port is given back, connections are closed, with a RST or a FIN."""
        if self.listener is not None:
            self.listener.close()
        self.endpoint.stop(reset=reset)

    def __repr__(self) -> str:
        return f"<Exporter of {self.application.name} on port {self.port}>"
