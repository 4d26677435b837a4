"""What the front process and a worker say to each other, as MessagePack.

No I/O, and no event loop: the worker process loads this file on every start.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

Headers = list[tuple[bytes, bytes]]
Time = Annotated[float, msgspec.Meta(ge=0, le=1e11)]
"""Seconds since 1970: no infinity and nothing that is no number, which JSON cannot hold."""
Count = Annotated[int, msgspec.Meta(ge=0)]


class Work(msgspec.Struct, array_like=True, tag=1, frozen=True, gc=False):
    """Front to worker: run this request."""

    seq: int
    id: str | None
    method: str
    target: str
    headers: Headers
    body: bytes


class Hello(msgspec.Struct, array_like=True, tag=2, frozen=True, gc=False):
    """Worker to front: started, and pulling requests."""

    pid: int


class Ping(msgspec.Struct, array_like=True, tag=4, frozen=True, gc=False):
    """Front to worker: are you there?"""


class Stop(msgspec.Struct, array_like=True, tag=5, frozen=True, gc=False):
    """Front to worker: finish what came before this, take nothing that comes after it, and end."""


class Pong(msgspec.Struct, array_like=True, tag=6, frozen=True, gc=False):
    """Worker to front: the answer to a `Ping`.

    Attributes:
        unhealthy: what an ISAPI gives as the reason for HSE_REQ_REPORT_UNHEALTHY, empty for none;
            None if all are well.
    """

    unhealthy: str | None = None


class Done(msgspec.Struct, array_like=True, tag=3, frozen=True, gc=False):
    """Worker to front: the answer to the request `seq`."""

    seq: int
    status: int
    headers: Headers
    body: bytes


class Note(msgspec.Struct, array_like=True, tag=7, frozen=True, gc=False):
    """Worker to front: something happened that belongs into the journal.

    Attributes:
        time: when, in seconds of the records' clock.
        name: of the event.
        detail: what a reader wants to know of it.
    """

    time: Time
    name: str
    detail: str | None = None


class Table(msgspec.Struct, array_like=True, tag=8, frozen=True, gc=False):
    """Worker to front: the interface table has changed.

    Attributes:
        interfaces: its entries.
        threads_held: ISAPI threads that wait for an entry.
    """

    interfaces: Count
    threads_held: Count


ToWorker = Work | Ping | Stop
ToFront = Hello | Done | Pong | Note | Table
Message = ToWorker | ToFront
