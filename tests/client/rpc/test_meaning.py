"""What a failed layer of an RPC server means."""

import pytest

from vaultstorm_client.rpc.meaning import RPC_MEANINGS, meaning
from vaultstorm_wire.outcome import NAMES

FAULTS = ["rpc.0x1c010014", "rpc.0x00000005", "rpc.0x80040154"]


@pytest.mark.parametrize(
    "outcome", sorted(name for name in NAMES if not name.startswith("tls.")) + FAULTS
)
def test_every_ending(outcome: str) -> None:
    """There is a sentence for each, and none speaks of HTTP or of TLS."""
    said = meaning(outcome)
    assert said
    assert "HTTP" not in said.replace("RPC", "")
    assert "TLS" not in said


def test_nothing_else() -> None:
    """There is no sentence for what cannot happen."""
    assert set(RPC_MEANINGS) <= set(NAMES)
