"""The server's state in the Prometheus text format: the numbers of ``GET /status``, flattened."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
PREFIX: Final = "vaultstorm"
COUNTERS: Final = frozenset(
    {"abandoned", "accepted", "admitted", "answered", "assigned", "bugs", "cleared", "created"}
    | {"deaths", "finished", "growths", "handshakes", "handshakes_failed", "lost", "pauses"}
    | {"redirected", "refused", "requests", "served", "skipped", "starts", "stranded", "taken"}
    | {"calls_executed", "calls_refused", "executed", "turned_away"}
)
"""Numbers that only grow. All others are gauges."""
NO_METRICS: Final = frozenset({"pid", "port"})
LABELLED: Final = {"reasons": "reason"}
"""Mappings whose keys are values of a label: HTTPERR reasons are no part of a name."""
WORKERS: Final = "workers"
TABLE: Final = ("interfaces", "threads_held")
"""Of each worker; here they are added up: a hang is when all threads are held."""
EXPORTERS: Final = "exporters"
"""By AppID, which is the value of a label, not a part of a name."""
STATE: Final = "state"
"""A word that is the value of a label, too: of a pool that rapid-fail protection has turned off."""


class StatusCollector(Collector):
    """Collects one status: a label would only repeat what the name says, but for worker states."""

    def __init__(self, status: Mapping[str, Any]) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """Give every number as a family."""
        return _families((PREFIX,), self._status)


def render(status: Mapping[str, Any]) -> bytes:
    """Write the numbers of a status, which is nested mappings, numbers and texts."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StatusCollector(status))
    return generate_latest(registry)


def _families(path: tuple[str, ...], values: Mapping[str, Any]) -> Iterator[Metric]:
    for name, value in values.items():
        if name in NO_METRICS:
            continue
        if name == WORKERS:
            yield from _workers((*path, name), value)
        elif name == EXPORTERS:
            yield from _exporters((*path, name), value)
        elif name == STATE:
            yield _state((*path, name), value)
        elif name in LABELLED:
            yield _labelled((*path, name), LABELLED[name], value)
        elif isinstance(value, Mapping):
            yield from _families((*path, name), value)
        elif isinstance(value, int | float):
            yield _family((*path, name), value)


def _family(path: tuple[str, ...], value: float) -> Metric:
    kind = CounterMetricFamily if path[-1] in COUNTERS else GaugeMetricFamily
    return kind("_".join(path), _help(path), value=value)


def _help(path: tuple[str, ...]) -> str:
    return f"{'.'.join(path[1:])} of GET /status."


def _labelled(path: tuple[str, ...], label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily("_".join(path), _help(path), labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _exporters(
    path: tuple[str, ...], exporters: Mapping[str, Mapping[str, Any]]
) -> Iterator[Metric]:
    """Give the numbers of all exporters, one family for each, one series for each exporter."""
    found: dict[tuple[str, ...], dict[str, float]] = {}
    for application, values in exporters.items():
        for inner, value in _numbers(path, values):
            found.setdefault(inner, {})[application] = value
    for inner, series in found.items():
        kind = CounterMetricFamily if inner[-1] in COUNTERS else GaugeMetricFamily
        family = kind("_".join(inner), _help(inner), labels=["application"])
        for application, value in series.items():
            family.add_metric([application], value)
        yield family


def _numbers(
    path: tuple[str, ...], values: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, ...], float]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _numbers((*path, name), value)
        elif isinstance(value, int | float) and name not in NO_METRICS:
            yield (*path, name), value


def _state(path: tuple[str, ...], state: str) -> Metric:
    family = GaugeMetricFamily("_".join(path), _help(path), labels=[STATE])
    family.add_metric([state], 1)
    return family


def _workers(path: tuple[str, ...], workers: list[Mapping[str, Any]]) -> Iterator[Metric]:
    """Count the workers by state: one series per pid would never end."""
    family = GaugeMetricFamily("_".join(path), "Worker processes by state.", labels=["state"])
    for state, count in sorted(Counter(worker["state"] for worker in workers).items()):
        family.add_metric([state], count)
    yield family
    for name in TABLE:
        yield _family((*path, name), sum(worker.get(name, 0) for worker in workers))
