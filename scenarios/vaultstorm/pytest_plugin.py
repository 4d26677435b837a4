"""The pytest plugin: the fixture `vaultstorm_server`, and its log beside a test that failed.

It imports nothing but pytest until a test uses it: PYTEST_DONT_REWRITE.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from vaultstorm.testing import Servers

_SERVERS: "pytest.StashKey[Servers]" = pytest.StashKey()


@pytest.fixture
def vaultstorm_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[Servers]":
    """Give a function that starts a real server, which fails as it is asked to.

    ``server = vaultstorm_server(backlog=10, overflow="reset")``: every call starts one more, and
    all of them end with the test. The arguments are backlog, overflow, accept_interval, workers,
    hotfixes, tls, rpc, settings and reg.
    """
    from vaultstorm.testing import Servers

    servers = Servers(tmp_path_factory.mktemp("vaultstorm"), _tls(tmp_path_factory))
    request.node.stash[_SERVERS] = servers
    yield servers
    servers.end()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> "Iterator[None]":
    """Put what the servers of a test that failed have logged beside its failure."""
    outcome: Any = yield
    report: pytest.TestReport = outcome.get_result()
    if report.failed and _SERVERS in item.stash:
        report.sections += item.stash[_SERVERS].report()


def _tls(factory: pytest.TempPathFactory) -> Path:
    """Give the directory of the certificates: one for the run, whatever its processes."""
    base = factory.getbasetemp()
    return (base.parent if base.name.startswith("popen-gw") else base) / "vaultstorm-tls"
