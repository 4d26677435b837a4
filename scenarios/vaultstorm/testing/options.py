"""What a test asks of its server, as options of `vaultstorm serve`."""

import os
from collections.abc import Iterable, Mapping
from typing import TypedDict

__tracebackhide__ = True  # pytest shows the line of the test instead


class Wishes(TypedDict, total=False):
    """What can be asked of a server; whatever is left out is as `vaultstorm serve` has it.

    Attributes:
        backlog: length of the accept queue.
        overflow: ``reset``, ``refuse`` or ``drop``: what a connection meets that finds it full.
        accept_interval: time between two accepts of the application: seconds, or as ``"20ms"``.
        workers: how many worker processes there are.
        hotfixes: which defects are repaired: ``"all"``, or names such as ``"KB908739"``.
        tls: HTTPS with a certificate of `Server.ca`; or plain HTTP.
        rpc: whether DCOM activation is served too, at `Server.rpc`.
        settings: any other, by its path, as ``{"apppool.PeriodicRestartRequests": 100}``.
        reg: registry exports, or ``"kb960007"``.
    """

    backlog: int | None
    overflow: str | None
    accept_interval: float | str | None
    workers: int | None
    hotfixes: str | Iterable[str]
    tls: bool
    rpc: bool
    settings: Mapping[str, object]
    reg: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def options(wishes: Wishes) -> list[str]:
    """Write wishes as options of `vaultstorm serve`."""
    found = []
    for name in ("backlog", "overflow", "accept_interval", "workers"):
        value = wishes.get(name)
        if value is not None:
            found.append(f"--{name.replace('_', '-')}={value}")
    found += [f"--hotfix={name}" for name in _several(wishes.get("hotfixes", ()))]
    if not wishes.get("tls", True):
        found.append("--no-tls")
    found.append("--rpc-port=0" if wishes.get("rpc") else "--no-rpc")
    settings = wishes.get("settings", {})
    found += [f"--set={path}={_written(value)}" for path, value in settings.items()]
    found += [f"--reg={os.fspath(file)}" for file in _several(wishes.get("reg", ()))]
    return found


def _several(
    given: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
) -> Iterable[str | os.PathLike[str]]:
    return (given,) if isinstance(given, str | os.PathLike) else given


def _written(value: object) -> object:
    return int(value) if isinstance(value, bool) else value
