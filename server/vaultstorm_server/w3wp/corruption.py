"""What becomes of a process whose memory is corrupted: now and then it dies of it (TECH39579)."""

import ctypes
import random
from typing import Final

PR_SET_DUMPABLE: Final = 4
"""Of prctl(2)."""


class Corruption:
    """Decides, by a seed, which of the touches of a released entry ends the process.

    Args:
        probability: of each; Vault.CorruptionCrash.
        seed: Vault.Seed.
        number: which worker process of the pool this is, so that a replacement does not repeat
            what its predecessor did.
    """

    def __init__(self, probability: float, seed: int, number: int) -> None:
        self._probability = probability
        self._random = random.Random(f"{seed}/{number}")

    def strikes(self) -> bool:
        """Tell whether this one does."""
        return self._random.random() < self._probability

    def crash(self) -> None:
        """Read where nothing is: the kernel ends the process by SIGSEGV, without a core dump.

        RLIMIT_CORE would not keep the kernel from piping one to a program (core(5)).
        """
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        ctypes.string_at(0)
