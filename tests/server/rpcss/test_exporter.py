"""An exporter as a process: its port, its accept queue, its end."""

from pathlib import Path

import pytest

from tests.server.rpcss.dcom import activate, caller, executed, work
from tests.server.rpcss.serving import APPID, serving


def test_an_exporter_ends_with_its_port(tmp_path: Path) -> None:
    """Connections are reset, and nobody can connect any more."""
    with serving(tmp_path) as served:
        made = activate(served)
        client = caller(made)
        (exporter,) = served.do(lambda: list(served.rpcss._exporters))
        assert repr(exporter) == f"<Exporter of {APPID} on port {made.port}>"
        assert exporter.port == made.port
        served.do(lambda: exporter.stop(reset=True))
        with client, pytest.raises(ConnectionResetError):
            client.rest()
        with pytest.raises(ConnectionRefusedError):
            caller(made)


def test_a_process_that_ends_in_good_order_says_fin(tmp_path: Path) -> None:
    """Idle clients are not reset."""
    with serving(tmp_path) as served:
        made = activate(served)
        with caller(made) as client:
            assert executed(work(client, made.ipid)) == 1
            (exporter,) = served.do(lambda: list(served.rpcss._exporters))
            served.do(lambda: exporter.stop(reset=False))
            assert client.rest() == b""
