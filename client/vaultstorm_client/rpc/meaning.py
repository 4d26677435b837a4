"""What a failed layer says about the RPC server behind it, in one sentence each."""

from typing import Final

from vaultstorm_client.meaning import MEANINGS
from vaultstorm_client.meaning import meaning as of_any_server
from vaultstorm_wire.dcerpc import status as fault

NO_RESOLVER: Final = (
    "an RPC server, and no resolver: it may be an object exporter, whose clients come from an "
    "activation; the resolver is on port 135"
)
_LOST: Final = "the server accepted the bind and ended the connection instead of an answer"

RPC_MEANINGS: Final[dict[str, str]] = {
    "bind.timeout": (
        "the port is open and the bind is never answered: the application does not accept what the "
        "kernel has connected, or hangs, or does not speak RPC"
    ),
    "bind.reset": MEANINGS["tls.reset"],
    "bind.closed": (
        "the connection was accepted and closed before the bind was answered: the server turns "
        "this client away, has just ended, or does not speak RPC"
    ),
    "bind.malformed": "what answers on this port does not speak DCE/RPC",
    "send.timeout": "the server took the bind and reads nothing more",
    "send.reset": "the connection was reset behind the bind: nothing was asked for",
    "send.closed": "the connection was closed behind the bind: nothing was asked for",
    "wait.timeout": "TCP connects, the bind is answered, the call is not: the server hangs",
    "wait.reset": f"{_LOST}: it crashed, or was stopped",
    "wait.closed": f"{_LOST}: it was stopped, or does not want this call",
    "wait.malformed": "the answer to the call is not DCE/RPC",
    "receive.malformed": "the answer to the call is not what its interface has",
}
"""By outcome, where an RPC server's differs from others'."""

_REFUSED: Final[dict[int, str]] = {
    fault.NCA_SERVER_TOO_BUSY: "the server answers that it is too busy: its call limit is reached",
    fault.ERROR_ACCESS_DENIED: (
        "the server wants an authentication, which this client does not have"
    ),
    fault.NCA_OP_RNG_ERROR: "the interface is known, and does not have this operation",
}


def meaning(outcome: str) -> str:
    """Say what `outcome` means for who reads it."""
    if outcome in RPC_MEANINGS:
        return RPC_MEANINGS[outcome]
    kind, _, status = outcome.partition(".")
    if kind == "rpc":
        known = _REFUSED.get(int(status, 16))
        return known or "the server answers, and refuses the call: the layers below work"
    return of_any_server(outcome)
