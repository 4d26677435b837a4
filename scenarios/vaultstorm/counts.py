"""What a running server and its load have counted: what the `when` of an action speaks of."""

from collections.abc import Mapping
from typing import Any, Final

from vaultstorm_server.afd.policy import QueueStatistics as AcceptQueue
from vaultstorm_server.httpsys.request_queue import QueueStatistics as RequestQueue

ENDED: Final = "ended"
"""Attempts that have ended on the client's side, whatever became of them."""

_ACCEPT: Final = tuple(name for name, kind in AcceptQueue.__annotations__.items() if kind is int)
_POOL: Final = tuple(RequestQueue.__annotations__)
_WORKERS: Final = {"serving": ("serving",), "stopping": ("stopping", "shutting down")}
"""How many workers are in one of these states."""
_VAULT: Final = ("interfaces", "threads_held")
"""What the vault holds in all workers together: entries of the interface tables, and ISAPI threads
that wait for one."""
_PORTS: Final = ("resolver", "exporter")
_OF_PORTS: Final = ("free", "queued", "turned_away")
_RPC: Final = (*(f"{port}_{name}" for port in _PORTS for name in _OF_PORTS), "objects")
"""Of the accept queue of the resolver, of those of all object exporters together, and how many
objects there are; 0 without RPC."""

NAMES: Final = (*_ACCEPT, "pauses", *_POOL, "starts", "deaths", *_WORKERS, *_VAULT, *_RPC, ENDED)
"""All of them: of the accept queue, the pool, its workers, the vault, RPC and the load."""


def counted(status: Mapping[str, Any], ended: int) -> dict[str, int]:
    """Give every count.

    Args:
        status: what ``GET /status`` of the control plane answers.
        ended: attempts that have ended.
    """
    accept, pool = status["accept_queue"], status["pool"]
    workers = pool["workers"]
    states = [worker["state"].replace("_", " ") for worker in workers]
    return {
        **{name: accept["queue"][name] for name in _ACCEPT},
        "pauses": accept["pauses"],
        **{name: pool["queue"][name] for name in _POOL},
        "starts": pool["starts"],
        "deaths": pool["deaths"],
        **{name: sum(map(states.count, among)) for name, among in _WORKERS.items()},
        **{name: sum(worker[name] for worker in workers) for name in _VAULT},
        **_rpc(status.get("rpc")),
        ENDED: ended,
    }


def _rpc(status: Mapping[str, Any] | None) -> dict[str, int]:
    if status is None:
        return dict.fromkeys(_RPC, 0)
    exporters = [exporter["listener"] for exporter in status["exporters"].values()]
    listeners = dict(zip(_PORTS, ([status["resolver"]], exporters), strict=True))
    return {
        **{
            f"{port}_{name}": sum(listener["queue"][name] for listener in found)
            for port, found in listeners.items()
            for name in _OF_PORTS
        },
        "objects": status["objects"],
    }
