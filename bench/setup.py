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
