"""The measurement of DCE/RPC: its two loads."""

from pathlib import Path

import pytest

from bench import rpc, servers
from bench.children import PYTHON, BenchError, Child


def test_both_loads_exchange(tmp_path: Path) -> None:
    """Kept and fresh: every bind and every call is answered, and those that were made count."""
    with servers.vaultstorm_rpc(tmp_path, *rpc._ROOMY) as server:
        with Child([PYTHON, "-m", "bench.rpc_load", str(server.port), "2"]) as load:
            kept = rpc._kept(server, load, 0.2)
            with pytest.raises(BenchError, match="no exchange in 0 s: 0 failed"):
                rpc._kept(server, load, 0)
        fresh = rpc._burst(server, tmp_path, 2, "--no-keep-alive")
    assert kept["failed"] == fresh["failed"] == 0
    assert kept["rate"] > 0
    assert fresh["rate"] > 0
