"""The remote management interface that every RPC server has (C706, appendix Q)."""

from typing import TYPE_CHECKING, Final

from vaultstorm_server.rpcss.interfaces import Answer, Call, Interface, Operation
from vaultstorm_wire.dcerpc import mgmt as wire
from vaultstorm_wire.dcerpc.status import ERROR_ACCESS_DENIED

if TYPE_CHECKING:
    from vaultstorm_server.rpcss.endpoint import Endpoint

RPC_S_UNKNOWN_AUTHN_SERVICE: Final = 1747  # MS-ERREF 2.2
STATISTICS_MAX: Final = 4
"""Calls in and out, packets in and out (rpc_c_stats_array_max_size)."""


class Management:
    """Tells what one server process serves, and how much it has."""

    def __init__(self) -> None:
        self._endpoint: Endpoint | None = None

    def serve(self, endpoint: "Endpoint") -> None:
        """Tell of this one."""
        self._endpoint = endpoint

    def interface(self) -> Interface:
        """Give what is to be registered."""
        return Interface(
            wire.MGMT,
            "mgmt",
            {
                wire.INQ_IF_IDS: Operation("inq_if_ids", self.inq_if_ids),
                wire.INQ_STATS: Operation("inq_stats", self.inq_stats),
                wire.IS_SERVER_LISTENING: Operation(
                    "is_server_listening", self.is_server_listening
                ),
                wire.STOP_SERVER_LISTENING: Operation(
                    "stop_server_listening", self.stop_server_listening
                ),
                wire.INQ_PRINC_NAME: Operation("inq_princ_name", self.inq_princ_name),
            },
        )

    def inq_if_ids(self, call: Call) -> Answer:
        """Give all interfaces."""
        wire.InqIfIdsIn.decode(call.stub, call.little)
        assert self._endpoint is not None
        return Answer(wire.InqIfIdsOut(self._endpoint.syntaxes, 0).encode())

    def inq_stats(self, call: Call) -> Answer:
        """Give the counters: calls in, calls out (a server makes none), packets in and out."""
        asked = wire.InqStatsIn.decode(call.stub, call.little)
        assert self._endpoint is not None
        calls = self._endpoint.calls_in
        counters = (calls, 0, self._endpoint.packets_in, self._endpoint.packets_out)
        wanted = counters[: min(asked.asked, STATISTICS_MAX)]
        return Answer(wire.InqStatsOut(wanted, 0).encode())

    def is_server_listening(self, call: Call) -> Answer:
        """Say yes."""
        wire.IsServerListeningIn.decode(call.stub, call.little)
        return Answer(wire.IsServerListeningOut(0, True).encode())

    def stop_server_listening(self, call: Call) -> Answer:
        """Refuse: whoever has not authenticated may not (rpc_mgmt_set_authorization_fn)."""
        wire.StopServerListeningIn.decode(call.stub, call.little)
        out = wire.StopServerListeningOut(ERROR_ACCESS_DENIED)
        return Answer(out.encode(), out.status)

    def inq_princ_name(self, call: Call) -> Answer:
        """Give no name: no authentication service is registered."""
        asked = wire.InqPrincNameIn.decode(call.stub, call.little)
        out = wire.InqPrincNameOut("", RPC_S_UNKNOWN_AUTHN_SERVICE, asked.name_size)
        return Answer(out.encode(), out.status)
