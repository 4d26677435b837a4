"""The names of attempts."""

from uuid import UUID

import pytest

from vaultstorm_client.rpc.causality import causality

LAST = (1 << 64) - 1


@pytest.mark.parametrize("seed", [0, 1, 0x0123456789ABCDEF, LAST])
@pytest.mark.parametrize("client, made", [(0, 0), (1, 2), (65535, 65536), (2**32 - 1, 2**32 - 1)])
def test_seed_client_and_attempt(seed: int, client: int, made: int) -> None:
    """Text and wire are one UUID, made of the seed, the client and the attempt."""
    name = causality(seed, client, made)
    parts = seed.to_bytes(8, "big") + client.to_bytes(4, "big") + made.to_bytes(4, "big")
    assert name.text == str(UUID(bytes=parts))
    assert name.wire == UUID(bytes=parts).bytes_le
