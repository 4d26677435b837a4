"""The records that client, front process and workers append, and that the lab joins.

A journal is NDJSON: one record a line, one file per process, opened with a `Journal` record. Times
are seconds since 1970 from one clock per process that never steps back (wall time when the process
started, plus what a monotonic clock has counted since). Durations are seconds. Unset is left out.
"""

from collections.abc import Callable, Iterable, Iterator

import msgspec

SCHEMA = 1


class Record(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True, tag_field="record"):
    """What all records have: `record`, the kind, and `time`."""

    time: float


class Journal(Record, tag="journal", kw_only=True, frozen=True):
    """The first line of every journal."""

    schema: int = SCHEMA
    role: str
    """``client``, ``front``, ``worker`` or ``runner``."""
    pid: int
    seed: int | None = None


class Attempt(Record, tag="attempt", frozen=True):
    """One try of the client: never two tries in one record. `time` is when it was scheduled."""

    # Not kw_only: by name, one for every request, it takes ten times as long.
    time: float
    id: str
    """The X-Request-Id it carried; of an RPC, the causality id (ORPCTHIS.cid) as text."""
    connection: str
    nth: int
    """Which request on its connection: 0 is the first, on a fresh connection."""
    peer: str
    """The server's address, as ``127.0.0.1:443``."""
    start: float
    """When the client began: later than `time` if it could not keep its schedule."""
    end: float
    outcome: str
    local: str | None = None
    """The client's address and port; none if no socket came to be."""
    connect: float | None = None
    tls: float | None = None
    bind: float | None = None
    send: float | None = None
    wait: float | None = None
    receive: float | None = None
    """How long each phase took that was entered on this attempt, the last one up to its ending."""
    sent: int = 0
    received: int = 0
    """Payload bytes: of the request and the answer, before TLS."""
    syn_retries: int = 0
    errno: str | None = None
    detail: str | None = None
    operation: str | None = None
    """Of an ``rpc://`` target: ``activation`` or ``call``."""
    win32: int | None = None
    """The code that a Windows RPC client reports, where `outcome` alone does not say."""


class TurnedAway(Record, tag="turned_away", kw_only=True, frozen=True):
    """A connection that got no slot in the accept queue, where the server saw it."""

    peer: str
    cause: str
    """``backlog_full``, or ``stopping``: it waited when the listener closed."""
    how: str
    """``reset`` (handshake, then RST); a SYN that was refused or dropped is in a `Pause`."""
    port: int | None = None
    """The server's, where it has told which of its ports it was."""


class Pause(Record, tag="pause", kw_only=True, frozen=True):
    """An interval in which every SYN was refused or dropped. `time` is its beginning."""

    style: str
    """``refuse`` or ``drop``."""
    until: float
    caught: int = 0
    """Handshakes already complete when the pause began, reset and journalled as `TurnedAway`."""
    port: int | None = None
    """The server's, as in `TurnedAway`."""


class Request(Record, tag="request", kw_only=True, frozen=True):
    """One HTTP request as the front process saw it. `time` is when its head was complete."""

    id: str | None = None
    """Its X-Request-Id, if it carried one."""
    connection: int
    peer: str
    method: str
    target: str
    worker: int | None = None
    """The pid it was given to."""
    dispatched: float | None = None
    answered: float | None = None
    status: int | None = None
    cause: str | None = None
    """The HTTPERR reason, if it was lost or refused."""


class Execution(Record, tag="execution", kw_only=True, frozen=True):
    """One run of a method in a worker, written before the response leaves."""

    id: str | None = None
    worker: int
    method: str
    target: str
    status: int
    source: str | None = None
    """``access_log``: a log has it, which a server before the application may have written."""


class Begun(Record, tag="begun", kw_only=True, frozen=True):
    """A method is about to change what outlives its worker; of a foreign application: any request.

    Where no `Execution` follows, nobody lived to say whether it was done, and how.
    """

    id: str | None = None
    worker: int


class Event(Record, tag="event", kw_only=True, frozen=True):
    """A moment in a server's life: ``ready``, ``gate_closed``, ``recycle`` and so on.

    An entry of Windows' event log has the name ``event_log``, its number as `event_id` and its text
    as `detail`.
    """

    name: str
    worker: int | None = None
    event_id: int | None = None
    detail: str | None = None
    port: int | None = None
    """The server's, where the event is one of its listeners'."""


class Sample(Record, tag="sample", kw_only=True, frozen=True):
    """What the front process holds at a moment; written only when it has changed."""

    free: int
    """Slots of the accept queue that nobody holds."""
    queued: int
    """Connections that wait for the application's accept."""
    turned_away: int
    """All connections turned away so far, where the server saw them."""
    open: int
    """Connections that the application has accepted and not closed."""
    waiting: int
    """Requests that wait for a worker."""
    in_flight: int
    """Requests that a worker has."""
    interfaces: int = 0
    """Entries of the vault's interface tables: the most at once since the last sample."""
    threads_held: int = 0
    """ISAPI threads that wait for an entry: likewise."""
    resolver_free: int = 0
    resolver_queued: int = 0
    resolver_turned_away: int = 0
    """As `free`, `queued` and `turned_away`, of the resolver's port (RPC)."""
    exporter_free: int = 0
    exporter_queued: int = 0
    exporter_turned_away: int = 0
    """Likewise of all object exporters' ports together."""
    objects: int = 0
    """Objects that DCOM clients have references to."""


class Kernel(Record, tag="kernel", kw_only=True, frozen=True):
    """What the kernel holds for a foreign server's listening port; written only when it changed."""

    queued: int
    """Connections that are complete and wait for the application's accept (``Recv-Q``)."""
    backlog: int | None = None
    """The most that may wait (``Send-Q``): one more gets in, as the kernel compares with ``>``."""
    overflows: int = 0
    """``ListenOverflows`` of the network namespace since the variant began."""


class Acknowledged(Record, tag="acknowledged", kw_only=True, frozen=True):
    """What a vault has said it keeps, as the client that gave it knows it."""

    id: str
    """The X-Request-Id it was sent with."""
    kind: str
    """``block`` or ``snapshot``."""
    name: str
    """Of the snapshot; of a block, its SHA-256."""
    sha256: str
    """Of the bytes that were sent: of the block, or of the snapshot's manifest."""
    bytes: int


AnyRecord = (
    Journal
    | Attempt
    | TurnedAway
    | Pause
    | Request
    | Begun
    | Execution
    | Event
    | Sample
    | Kernel
    | Acknowledged
)

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)


class Lines:
    """Turns records into lines, and hands them on in whole lines only.

    Args:
        write: takes some bytes, returns how many it took (like `io.FileIO.write`), and is called
            again with the rest.
    """

    def __init__(self, write: Callable[[bytes | memoryview], int | None]) -> None:
        self._write = write
        self._lines: list[bytes] = []

    def append(self, record: AnyRecord) -> None:
        """Keep `record` for the next flush."""
        self._lines.append(_encoder.encode(record))

    def flush(self) -> None:
        """Write what was appended. Raises what `write` raises; nothing is kept then."""
        if not self._lines:
            return
        rest = memoryview(b"\n".join(self._lines) + b"\n")
        self._lines.clear()
        while rest:
            rest = rest[self._write(rest) or 0 :]


def encode(record: AnyRecord) -> bytes:
    """Give the line of one record, without its newline."""
    return _encoder.encode(record)


def decode(line: bytes | str) -> AnyRecord:
    """Read one line. Raises msgspec.ValidationError if it is not one of the records."""
    return _decoder.decode(line)


def read(lines: Iterable[bytes]) -> Iterator[AnyRecord]:
    """Read the lines of a journal, leaving out a last one that was cut off by a crash."""
    for line in lines:
        if line.endswith(b"\n"):
            yield _decoder.decode(line)
