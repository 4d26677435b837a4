"""The sizes of an agent's blocks: how long, and how often."""

import itertools
from typing import Final, NamedTuple

from vaultstorm_wire import units

DEFAULT: Final = "4KiB*12,16KiB*3,64KiB"
SIZE_MAX: Final = 16 << 20
"""What our server takes as a request by default (MaxRequestEntityAllowed); each lane holds one."""

_RIGHT: Final = f"write SIZE[*WEIGHT], ..., such as {DEFAULT}"


class Sizes(NamedTuple):
    """A distribution of sizes.

    Attributes:
        sizes: bytes, in the order they were written in.
        up_to: of each size, the weights up to and with its own.
    """

    sizes: tuple[int, ...]
    up_to: tuple[int, ...]

    def at(self, number: int) -> int:
        """Give the size that a number drawn evenly from a wide range stands for."""
        place = number % self.up_to[-1]
        return next(size for size, end in zip(self.sizes, self.up_to, strict=True) if place < end)


def parse(text: str) -> Sizes:
    """Read a distribution such as ``4KiB*12,16KiB*3,64KiB``.

    Raises:
        ValueError: it is none; the message says what would be.
    """
    sizes, weights = zip(*(_part(part) for part in text.split(",")), strict=True)
    return Sizes(sizes, tuple(itertools.accumulate(weights)))


def _part(text: str) -> tuple[int, int]:
    written, starred, weight = (part.strip() for part in text.partition("*"))
    size = units.size(written)
    if not 1 <= size <= SIZE_MAX:
        raise ValueError(f"{written!r}: a block has between 1 byte and {SIZE_MAX >> 20}MiB")
    if not starred:
        return size, 1
    if not (weight.isascii() and weight.isdigit() and 1 <= len(weight) <= 6 and int(weight)):
        raise ValueError(f"{text.strip()!r}: a weight is a number from 1 to 999999; {_RIGHT}")
    return size, int(weight)
