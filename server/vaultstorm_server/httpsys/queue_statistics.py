"""What the request queue of an application pool counts."""

import msgspec


class QueueStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """The queue, counted.

    Always ``assigned == held + finished + lost - stranded``, and all that ever came are
    ``waiting + assigned + stranded + skipped + cleared + refused``.

    Attributes:
        waiting: requests no worker has room for, those of clients that left among them.
        held: requests that workers have taken and not finished.
        lost: gone with their worker.
        stranded: of those lost, the ones that it had not taken: they waited bound to it.
        redirected: bound to a worker that shuts down, and left to the next one (KB908739), those
            that found the queue full among them.
        skipped: requests whose client had left when their turn came.
        cleared: given up on while they waited.
        refused: requests that found the queue full.
        highest: the most that ever waited.
    """

    waiting: int
    held: int
    assigned: int
    finished: int
    lost: int
    stranded: int
    redirected: int
    skipped: int
    cleared: int
    refused: int
    highest: int
