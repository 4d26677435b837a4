"""How a layer of a probe failed."""

import ssl

from vaultstorm_client import observe
from vaultstorm_client.meaning import UNTRUSTED
from vaultstorm_wire.outcome import NAMES, Ending, Phase, lost


class Failed(Exception):
    """A layer did not do its work: `outcome` says how; `means` is empty if that says it all.

    `win32` is what a Windows RPC client reports, where the outcome does not say.
    """

    def __init__(
        self, outcome: str, detail: str, means: str = "", win32: int | None = None
    ) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.detail = detail
        self.means = means
        self.win32 = win32


def failed(phase: Phase, error: OSError, received: int = 0) -> Failed:
    """Say an error of the socket's in the words of `vaultstorm_wire.outcome`."""
    timed_out = isinstance(error, TimeoutError) and error.errno is None
    ending = Ending.TIMEOUT if timed_out else observe.ending(error)
    means = ""
    if isinstance(error, ssl.SSLCertVerificationError):
        detail, means = error.verify_message, UNTRUSTED
    elif timed_out:
        detail = "timed out"
    elif isinstance(error, ssl.SSLError):
        detail = (error.reason or str(error)).lower().replace("_", " ")
    else:
        detail = observe.errno_name(error) or str(error)
    if received:
        detail += f" after {received} bytes"
    outcome = f"{phase.value}.{ending.value}"
    # A TLS alert after the handshake, or ICMP on a connection that stands: the peer has ended it.
    outcome = outcome if outcome in NAMES else lost(phase, Ending.RESET)
    return Failed(outcome, detail, means)
