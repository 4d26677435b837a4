"""The metrics, from a status."""

import msgspec
import pytest

from vaultstorm_server.admin.metrics import COUNTERS, render
from vaultstorm_server.afd.policy import QueueStatistics as AcceptStatistics
from vaultstorm_server.httpsys.queue_statistics import QueueStatistics as RequestStatistics

STATUS = {
    "pid": 1,
    "url": "https://127.0.0.1:443",
    "uptime": 2.5,
    "accept_queue": {"gate_open": True, "queue": {"free": 3, "turned_away": 4}},
    "connections": {"open": 5, "reasons": {"Version_N/S": 6}},
    "pool": {
        "name": "DefaultAppPool",
        "state": "running",
        "deaths": 7,
        "workers": [
            {"pid": 8, "state": "serving", "interfaces": 5, "threads_held": 2},
            {"pid": 9, "state": "starting"},
            {"pid": 10, "state": "serving", "interfaces": 4, "threads_held": 0},
        ],
    },
}


def test_every_number_of_the_status_is_a_metric() -> None:
    """What only grows is a counter with `_total`; texts and pids are none."""
    lines = [line for line in render(STATUS).decode().splitlines() if line[0] != "#"]

    assert lines == [
        "vaultstorm_uptime 2.5",
        "vaultstorm_accept_queue_gate_open 1.0",
        "vaultstorm_accept_queue_queue_free 3.0",
        "vaultstorm_accept_queue_queue_turned_away_total 4.0",
        "vaultstorm_connections_open 5.0",
        'vaultstorm_connections_reasons_total{reason="Version_N/S"} 6.0',
        'vaultstorm_pool_state{state="running"} 1.0',
        "vaultstorm_pool_deaths_total 7.0",
        'vaultstorm_pool_workers{state="serving"} 2.0',
        'vaultstorm_pool_workers{state="starting"} 1.0',
        "vaultstorm_pool_workers_interfaces 9.0",
        "vaultstorm_pool_workers_threads_held 2.0",
    ]


def test_exporters_are_told_apart_by_a_label() -> None:
    """An AppID is no part of a name; a port is no number."""
    listener = {"queue": {"free": 7, "turned_away": 8}, "style": "reset"}
    exporters = {
        "8e5f1c6a": {"port": 1025, "calls_executed": 3, "listener": listener},
        "8e5f1c6b": {"port": 1026, "calls_executed": 4, "listener": listener},
    }
    lines = render({"rpc": {"objects": 2, "exporters": exporters}}).decode().splitlines()

    assert [line for line in lines if line[0] != "#"] == [
        "vaultstorm_rpc_objects 2.0",
        'vaultstorm_rpc_exporters_calls_executed_total{application="8e5f1c6a"} 3.0',
        'vaultstorm_rpc_exporters_calls_executed_total{application="8e5f1c6b"} 4.0',
        'vaultstorm_rpc_exporters_listener_queue_free{application="8e5f1c6a"} 7.0',
        'vaultstorm_rpc_exporters_listener_queue_free{application="8e5f1c6b"} 7.0',
        'vaultstorm_rpc_exporters_listener_queue_turned_away_total{application="8e5f1c6a"} 8.0',
        'vaultstorm_rpc_exporters_listener_queue_turned_away_total{application="8e5f1c6b"} 8.0',
    ]


def test_a_metric_says_where_its_number_stands() -> None:
    """The help names the key of the status; an empty status has no metrics."""
    assert b"accept_queue.queue.free of GET /status." in render(STATUS)
    assert render({}) == b""


@pytest.mark.parametrize(
    "statistics, held",
    [
        (AcceptStatistics, {"dynamic", "capacity", "free", "syn_received", "queued"}),
        (RequestStatistics, {"waiting", "held", "highest"}),
    ],
)
def test_what_a_queue_counts_is_a_counter(statistics: type[msgspec.Struct], held: set[str]) -> None:
    """All but what it holds at the moment, and the most it ever held."""
    assert set(statistics.__struct_fields__) - COUNTERS == held
