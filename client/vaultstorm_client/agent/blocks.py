"""What agents put into the vault: made from the seed, as often as it is needed, and never kept."""

import hashlib
import random
from functools import cached_property
from typing import Final, NamedTuple

from vaultstorm_client.agent.sizes import Sizes

COMMON: Final = 64
"""Blocks of the pool that all agents draw from, as the files of an operating system are."""
_COMMON_SHARE: Final = 4
"""One block in so many is a common one."""
_WIDE: Final = 1 << 32


class Block(NamedTuple):
    """How a block is made.

    Attributes:
        key: what its bytes follow from.
        size: how many bytes it has.
        common: it is one of those that all agents draw from.
    """

    key: str
    size: int
    common: bool


class Blocks:
    """The blocks of every snapshot of a burst.

    Args:
        seed: of the burst; what agent i has in snapshot n depends on (seed, i, n) only.
        count: how many blocks a snapshot has.
        sizes: how long they are.
    """

    def __init__(self, seed: int, count: int, sizes: Sizes) -> None:
        self.count = count
        self._seed = seed
        self._sizes = sizes

    def snapshot(self, agent: int, number: int) -> tuple[Block, ...]:
        """Draw the blocks of one snapshot. One block may come twice: it is common then."""
        draw = random.Random(f"{self._seed}-{agent}-{number}").randrange
        return tuple(
            self._pool[draw(COMMON)]
            if not draw(_COMMON_SHARE)
            else Block(f"{self._seed}-{agent}-{number}-{nth}", self._sizes.at(draw(_WIDE)), False)
            for nth in range(self.count)
        )

    def snapshot_name(self, agent: int, number: int, sha256: str) -> str:
        """Name a snapshot, by its manifest too: what the same seed made otherwise is another."""
        return f"{self._seed:016x}-{agent}-{number}-{sha256[:8]}"

    @cached_property
    def _pool(self) -> tuple[Block, ...]:
        return tuple(self._common(f"{self._seed}-common-{index}") for index in range(COMMON))

    def _common(self, key: str) -> Block:
        return Block(key, self._sizes.at(random.Random(key).randrange(_WIDE)), True)


def content(block: Block) -> bytes:
    """Make the bytes of a block: nothing in them can be compressed or guessed."""
    return hashlib.shake_128(block.key.encode("ascii")).digest(block.size)
