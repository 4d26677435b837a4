"""How full the interface tables of all workers together have been, since somebody last asked."""

from collections.abc import Iterable

from vaultstorm_server.w3svc.worker import Worker


class Occupancy:
    """Keeps the most of both counts: what came and went between two samples is seen all the same.

    Args:
        workers: those that live, whenever it is gone through.
    """

    __slots__ = ("_interfaces", "_threads_held", "_workers")

    def __init__(self, workers: Iterable[Worker]) -> None:
        self._workers = workers
        self._interfaces = self._threads_held = 0

    def changed(self, worker: Worker, interfaces: int, threads_held: int) -> None:
        """Note what a worker says of its table, and with it the most at once."""
        worker.interfaces = interfaces
        worker.threads_held = threads_held
        now = self._sums()
        self._interfaces = max(self._interfaces, now[0])
        self._threads_held = max(self._threads_held, now[1])

    def take(self) -> tuple[int, int]:
        """Give the most interfaces and the most threads held; from here on what there is counts."""
        most = self._interfaces, self._threads_held
        self._interfaces, self._threads_held = self._sums()
        return most

    def _sums(self) -> tuple[int, int]:
        interfaces = threads_held = 0
        for worker in self._workers:
            interfaces += worker.interfaces
            threads_held += worker.threads_held
        return interfaces, threads_held
