"""What the policy of an application pool asks of its shell, to be done in this order."""

import msgspec

from vaultstorm_server.w3svc.eventlog import Entry
from vaultstorm_server.w3svc.worker import Worker


class Start(msgspec.Struct, frozen=True):
    """Start its process and set its pid; `not_started` follows if that cannot be done."""

    worker: Worker


class Serve(msgspec.Struct, frozen=True):
    """Give it requests from here on."""

    worker: Worker


class Stop(msgspec.Struct, frozen=True):
    """Tell it to end, and give it no request from the pool's queue any more."""

    worker: Worker


class Ping(msgspec.Struct, frozen=True):
    """Ask whether it is there; `pong` follows, unless it is not."""

    worker: Worker


class Measure(msgspec.Struct, frozen=True):
    """Read how much memory it has; `measured` follows."""

    worker: Worker


class Drop(msgspec.Struct, frozen=True):
    """Close its channel, and abandon its requests: it is lost."""

    worker: Worker


class Kill(msgspec.Struct, frozen=True):
    """End its process at once; `exited` follows."""

    worker: Worker


class Orphan(msgspec.Struct, frozen=True):
    """Let go of its process as it is, for someone to look at, and abandon its requests.

    Nothing follows.
    """

    worker: Worker


class Refuse(msgspec.Struct, frozen=True):
    """Refuse all that waits, and all that comes until `Admit`; `reason` is HTTPERR's."""

    reason: str


class Admit(msgspec.Struct, frozen=True):
    """Let requests wait for a worker again."""


class Note(msgspec.Struct, frozen=True):
    """Write an event into the journal."""

    name: str
    worker: Worker | None = None
    detail: str | None = None


class Log(msgspec.Struct, frozen=True):
    """Write an entry of Windows' event log."""

    entry: Entry


Action = Start | Serve | Stop | Ping | Measure | Drop | Kill | Orphan | Refuse | Admit | Note | Log
