"""What is counted of an application pool."""

import msgspec

from vaultstorm_server.httpsys.queue_statistics import QueueStatistics
from vaultstorm_server.w3svc.worker import WorkerStatistics


class PoolStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """The pool, counted.

    Attributes:
        deaths: ends that nobody asked for.
        bugs: steps that failed for an error of ours.
    """

    name: str
    state: str
    queue: QueueStatistics
    starts: int
    deaths: int
    bugs: int
    workers: tuple[WorkerStatistics, ...]
