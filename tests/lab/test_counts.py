"""What is counted of a running server."""

from typing import Any

import msgspec
import pytest

from vaultstorm.counts import NAMES, counted
from vaultstorm_server.afd.policy import QueueStatistics as AcceptQueue
from vaultstorm_server.httpsys.request_queue import QueueStatistics as RequestQueue


def status(*states: str) -> dict[str, Any]:
    """Give what the control plane answers: every number of a queue is another one."""
    accept = {field.name: n for n, field in enumerate(msgspec.structs.fields(AcceptQueue), 100)}
    requests = {field.name: n for n, field in enumerate(msgspec.structs.fields(RequestQueue), 200)}
    return {
        "accept_queue": {"queue": accept, "pauses": 3},
        "pool": {
            "queue": requests,
            "starts": 7,
            "deaths": 2,
            "workers": [
                {"pid": 10 + n, "state": state, "interfaces": 30 + n, "threads_held": n}
                for n, state in enumerate(states)
            ],
        },
        "rpc": None,
    }


def rpc(*exporters: int) -> dict[str, Any]:
    """Give what it answers of RPC: every queue holds as many times the numbers of the first."""
    names = ("free", "queued", "turned_away")
    queues = [{"queue": {name: n * (i + 1) for i, name in enumerate(names)}} for n in exporters]
    return {
        "resolver": {"queue": {"free": 5, "queued": 6, "turned_away": 7}},
        "exporters": {str(n): {"port": 1, "listener": queue} for n, queue in enumerate(queues)},
        "objects": 8,
    }


def test_every_name_is_counted_and_none_twice() -> None:
    """The vocabulary is what is counted, from both queues and from the load."""
    found = counted(status(), 9)
    assert tuple(found) == NAMES
    assert len(set(NAMES)) == len(NAMES)
    assert (found["pauses"], found["starts"], found["deaths"], found["ended"]) == (3, 7, 2, 9)
    assert 100 <= found["queued"] < 200 <= found["waiting"] < found["held"]


@pytest.mark.parametrize(
    "exporters, counts", [((), (0, 0, 0)), ((10,), (10, 20, 30)), ((10, 1), (11, 22, 33))]
)
def test_rpc_is_counted_by_port(exporters: tuple[int, ...], counts: tuple[int, ...]) -> None:
    """The resolver for itself, all object exporters together."""
    found = counted({**status(), "rpc": rpc(*exporters)}, 0)
    names = ("free", "queued", "turned_away")
    assert tuple(found[f"resolver_{name}"] for name in names) == (5, 6, 7)
    assert tuple(found[f"exporter_{name}"] for name in names) == counts
    assert found["objects"] == 8
    assert tuple(found) == NAMES


def test_without_rpc_nothing_is_counted_of_it() -> None:
    """A server that speaks none has no objects, and nobody waits for them."""
    found = counted(status(), 0)
    assert found["exporter_queued"] == found["resolver_free"] == found["objects"] == 0


@pytest.mark.parametrize(
    "states, serving, stopping",
    [
        ((), 0, 0),
        (("starting", "dead"), 0, 0),
        (("serving", "serving", "stopping"), 2, 1),
        (("shutting down", "shutting_down", "serving"), 1, 2),
    ],
)
def test_workers_are_counted_by_state(states: tuple[str, ...], serving: int, stopping: int) -> None:
    """Those that take requests, and those that have been told to end."""
    found = counted(status(*states), 0)
    assert (found["serving"], found["stopping"]) == (serving, stopping)


@pytest.mark.parametrize(
    "states, interfaces, threads_held", [((), 0, 0), (("serving",), 30, 0), (("x",) * 3, 93, 3)]
)
def test_the_vault_is_counted_in_all_workers(
    states: tuple[str, ...], interfaces: int, threads_held: int
) -> None:
    """Whatever a worker does, its entries are there, and its threads wait."""
    found = counted(status(*states), 0)
    assert (found["interfaces"], found["threads_held"]) == (interfaces, threads_held)
