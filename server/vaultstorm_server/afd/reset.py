"""Overflow as with SynAttackProtect, the default from 2003 SP1: the handshake, then RST."""

from typing import ClassVar

from vaultstorm_server.afd.emulated import EmulatedQueueListener


class ResetListener(EmulatedQueueListener):
    """Completes every handshake and resets the connections that find no slot (KB875417)."""

    style: ClassVar[str] = "reset"

    def _adjust(self, now: float) -> None:
        """The socket goes on listening, whatever room there is."""
