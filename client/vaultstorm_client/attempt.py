"""One try: which phases it went through, how long each took, and how it ended."""

from typing import Final

from vaultstorm_client.clock import epoch
from vaultstorm_wire import journal
from vaultstorm_wire.outcome import Phase

_CONNECT: Final = Phase.CONNECT
"""Looked up once, as in `exchange`."""


class Attempt:
    """Times and counts of one try. Instants are monotonic seconds, phases are durations.

    Attributes:
        nth: which request on its connection; 0 is the first.
        phase: the phase it is in.
        peer: where it went, if not to the target's own address.
        operation: of an ``rpc://`` target: ``activation`` or ``call``.
        win32: what a Windows client reports, where the outcome alone does not say.
    """

    __slots__ = (
        "bind",
        "connect",
        "connection",
        "id",
        "local",
        "nth",
        "operation",
        "peer",
        "phase",
        "receive",
        "received",
        "scheduled",
        "send",
        "sent",
        "since",
        "start",
        "syn_retries",
        "tls",
        "wait",
        "win32",
    )

    def __init__(self, request_id: str, scheduled: float, start: float) -> None:
        self.id = request_id
        self.scheduled = scheduled
        self.start = self.since = start
        self.phase = _CONNECT
        self.connection = ""
        self.local: str | None = None
        self.peer: str | None = None
        self.operation: str | None = None
        self.win32: int | None = None
        self.nth = self.sent = self.received = self.syn_retries = 0
        self.connect: float | None = None
        self.tls: float | None = None
        self.bind: float | None = None
        self.send: float | None = None
        self.wait: float | None = None
        self.receive: float | None = None

    def enter(self, phase: Phase, now: float) -> None:
        """Close the phase it is in and begin the next."""
        self.close(now)
        self.phase = phase

    def close(self, now: float) -> None:
        """Close the phase it is in. What is entered twice, as after a SYN retry, adds up."""
        name = self.phase._value_  # `value` is a descriptor in Python, and takes six times as long
        setattr(self, name, (getattr(self, name) or 0.0) + now - self.since)
        self.since = now

    def record(
        self, peer: str, outcome: str, end: float, errno: str | None, detail: str | None
    ) -> journal.Attempt:
        """Write it down."""
        return journal.Attempt(
            epoch(self.scheduled),
            self.id,
            self.connection,
            self.nth,
            self.peer or peer,
            epoch(self.start),
            epoch(end),
            outcome,
            self.local,
            _micro(self.connect),
            _micro(self.tls),
            _micro(self.bind),
            _micro(self.send),
            _micro(self.wait),
            _micro(self.receive),
            self.sent,
            self.received,
            self.syn_retries,
            errno,
            detail,
            self.operation,
            self.win32,
        )


def _micro(duration: float | None) -> float | None:
    return None if duration is None else round(duration * 1e6) / 1e6  # as in `epoch`
