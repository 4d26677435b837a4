"""What a probe says, layer by layer."""

import pytest

from vaultstorm_client.layers import LAYERS, Layer, Report
from vaultstorm_client.target import PORTS


def test_each_scheme_has_its_layers() -> None:
    """Whatever can be aimed at has layers, in the order in which they are built up."""
    assert LAYERS == {
        "tcp": ("tcp",),
        "http": ("tcp", "http"),
        "https": ("tcp", "tls", "http"),
        "rpc": ("tcp", "bind", "alive", "lookup"),
    }
    assert set(LAYERS) == set(PORTS)


@pytest.mark.parametrize(
    "outcomes, fine",
    [(("ok",), True), (("ok", "ok"), True), (("ok", "tls.reset"), False), (("http.503",), False)],
)
def test_a_report_is_as_good_as_its_layers(outcomes: tuple[str, ...], fine: bool) -> None:
    """One layer that is not ok is enough."""
    layers = tuple(Layer("tcp", outcome, 0.0, {}) for outcome in outcomes)
    assert Report("tcp://127.0.0.1:1", layers).ok is fine
