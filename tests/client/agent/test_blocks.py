"""Blocks follow from seed, agent and snapshot, in the shares that were asked for."""

from collections import Counter

from vaultstorm_client.agent.blocks import COMMON, Blocks, content
from vaultstorm_client.agent.sizes import DEFAULT, parse


def made(seed: int = 7, count: int = 8) -> Blocks:
    """Make the blocks of a burst."""
    return Blocks(seed, count, parse(DEFAULT))


def test_the_same_for_the_same() -> None:
    """Seed, agent and number of a snapshot say what is in it, whoever asks and whenever."""
    first = made()
    first.snapshot(1, 1)
    assert first.snapshot(3, 5) == made().snapshot(3, 5)
    assert [content(block) for block in first.snapshot(3, 5)] == [
        content(block) for block in made().snapshot(3, 5)
    ]


def test_all_different_but_for_the_common_ones() -> None:
    """Blocks of another snapshot, agent or seed are other ones, common ones are a seed's."""
    snapshots = [
        drawn.snapshot(agent, number)
        for drawn in (made(1), made(2))
        for agent in range(5)
        for number in range(20)
    ]
    blocks = [block for snapshot in snapshots for block in snapshot]
    own = [block for block in blocks if not block.common]
    assert len({content(block)[:32] for block in own}) == len(own)
    assert {block.key.partition("-")[2].partition("-")[0] for block in blocks if block.common} == {
        "common"
    }
    assert len({block.key for block in blocks if block.common}) <= 2 * COMMON


def test_shares() -> None:
    """A quarter is common, and the sizes come as often as their weights say."""
    drawn = made()
    blocks = [block for number in range(2000) for block in drawn.snapshot(0, number)]
    assert 0.23 < sum(block.common for block in blocks) / len(blocks) < 0.27
    own = Counter(block.size for block in blocks if not block.common)
    shares = {size: count / own.total() for size, count in own.items()}
    assert abs(shares[4096] - 12 / 16) < 0.02
    assert abs(shares[16384] - 3 / 16) < 0.02
    assert abs(shares[65536] - 1 / 16) < 0.02


def test_a_block_has_its_size() -> None:
    """As many bytes as are drawn, and they do not repeat."""
    for block in made(count=50).snapshot(0, 0):
        data = content(block)
        assert len(data) == block.size
        assert len({data[at : at + 32] for at in range(0, len(data), 32)}) == len(data) // 32


def test_names() -> None:
    """A snapshot's name is the vault's kind of name, and another manifest makes another."""
    one, other = (made().snapshot_name(3, 4, digest) for digest in ("ab" * 32, "cd" * 32))
    assert one == "0000000000000007-3-4-abababab"
    assert one != other
