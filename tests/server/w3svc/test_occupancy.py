"""The most that the interface tables held at once."""

from vaultstorm_server.w3svc.occupancy import Occupancy
from vaultstorm_server.w3svc.worker import Worker


def test_the_most_is_that_of_all_workers_at_one_moment() -> None:
    """Tables that are full one after the other are not full together."""
    a, b = Worker(1, 0.0), Worker(2, 0.0)
    occupancy = Occupancy([a, b])
    assert occupancy.take() == (0, 0)
    occupancy.changed(a, 3, 0)
    occupancy.changed(a, 0, 0)
    occupancy.changed(b, 2, 1)
    assert (a.interfaces, b.interfaces, b.threads_held) == (0, 2, 1)
    assert occupancy.take() == (3, 1)
    occupancy.changed(a, 1, 0)
    assert occupancy.take() == (3, 1)


def test_what_came_and_went_is_told_once() -> None:
    """After that what there is counts, until there is more."""
    worker = Worker(1, 0.0)
    occupancy = Occupancy([worker])
    for interfaces in (5, 1):
        occupancy.changed(worker, interfaces, interfaces)
    assert [occupancy.take() for _ in "123"] == [(5, 5), (1, 1), (1, 1)]
    occupancy.changed(worker, 0, 2)
    assert [occupancy.take() for _ in "12"] == [(1, 2), (0, 2)]


def test_what_a_worker_held_ends_with_it() -> None:
    """One that is gone counts up to its end, and not after that."""
    a, b = Worker(1, 0.0), Worker(2, 0.0)
    workers = [a, b]
    occupancy = Occupancy(workers)
    occupancy.changed(a, 7, 7)
    occupancy.changed(b, 1, 0)
    workers.remove(a)
    assert [occupancy.take() for _ in "12"] == [(8, 7), (1, 0)]
