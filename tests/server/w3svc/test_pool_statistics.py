"""The pool's counts, as the status shows them."""

from pathlib import Path

import msgspec

from tests.server.w3svc.pooling import pool_of, run
from vaultstorm_server.w3svc.pool_statistics import PoolStatistics


def test_the_counts_of_a_fresh_pool(tmp_path: Path) -> None:
    """One worker was started, and nothing has gone wrong; all of it is numbers and texts."""

    async def scenario() -> None:
        async with pool_of(tmp_path) as pool:
            statistics = pool.statistics()
            assert isinstance(statistics, PoolStatistics)
            shown = msgspec.to_builtins(statistics)
            assert (shown["name"], shown["state"]) == ("DefaultAppPool", "running")
            assert (shown["starts"], shown["deaths"], shown["bugs"]) == (1, 0, 0)
            assert [worker["pid"] for worker in shown["workers"]] == [statistics.workers[0].pid]

    run(scenario)
