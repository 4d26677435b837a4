"""What every measurement is given."""

from pathlib import Path
from typing import NamedTuple

from bench.certificate import Certificate


class Setup(NamedTuple):
    """One run of the bench."""

    folder: Path
    """A temporary one."""
    certificate: Certificate
    quick: bool = False
    """A smoke run: a tenth of the work, one round; its figures mean little."""

    def size(self, full: int, quick: int) -> int:
        """Choose a count by the kind of run."""
        return quick if self.quick else full

    def sizes(self, full: int, quick: int, most: int | None = None) -> tuple[int, int, int]:
        """Give a tenth of the size, the size, and three times it: how cost grows.

        Args:
            full: the size.
            quick: the size in a smoke run.
            most: what the machine allows; the largest is cut to it.
        """
        size = self.size(full, quick)
        largest = 3 * size
        return max(1, size // 10), size, largest if most is None else max(size, min(largest, most))
