"""The counts of the request queue."""

import pytest

from tests.server.httpsys.queue_model import Queue, bound_to, requests
from vaultstorm_server.httpsys.binding import ServingBinding
from vaultstorm_server.httpsys.queue_statistics import QueueStatistics
from vaultstorm_server.httpsys.request_queue import QueueFullError, RequestQueue


def test_every_request_is_in_one_count() -> None:
    """Ten requests end in every way there is, and both sums of the docstring hold."""
    queue: Queue = RequestQueue(3, 2, ServingBinding())
    fresh = requests(4)
    assert [queue.put(request) for request in fresh[:3]] == [None, None, None]
    with pytest.raises(QueueFullError):
        queue.put(fresh[3])
    assert queue.clear() == fresh[:3]
    queue.worker_added("a")
    one, _ = queue.put(bound_to("a")), queue.put(bound_to("a"))
    assert one is not None
    left = bound_to("a")
    queue.put(left)
    queue.put(bound_to("a"))
    left.gone = True
    _, following = queue.finish("a", one.ticket)
    assert following is not None
    queue.put(bound_to("a"))
    queue.worker_lost("a")
    queue.worker_added("b")
    queue.worker_stopping("b")
    queue.put(bound_to("b"))

    counted = queue.statistics()

    assert counted == QueueStatistics(
        waiting=1,
        held=0,
        assigned=3,
        finished=1,
        lost=3,
        stranded=1,
        redirected=1,
        skipped=1,
        cleared=3,
        refused=1,
        highest=3,
    )
    assert counted.assigned == counted.held + counted.finished + counted.lost - counted.stranded
    untaken = counted.stranded + counted.skipped + counted.cleared + counted.refused
    assert counted.waiting + counted.assigned + untaken == 10
