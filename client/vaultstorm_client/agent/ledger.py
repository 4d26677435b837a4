"""What the vault has said it keeps, and what it gave back: of one agent, in bounded memory."""

from collections import deque
from enum import Enum
from typing import Final, NamedTuple

import msgspec

KEPT: Final = 24
"""Committed snapshots that an agent may read back again; those before them are only counted."""
FINDINGS: Final = 20
"""Findings of which more than the number is told."""


class Finding(Enum):
    """What can have become of acknowledged data."""

    LOST = "lost"
    CORRUPT = "corrupt"


class Found(msgspec.Struct, frozen=True):
    """One block or snapshot that was acknowledged, and is not there or not as it was.

    Attributes:
        kind: ``block`` or ``snapshot``.
        name: what the vault calls it.
        id: of the request that showed it.
        detail: how it did.
    """

    what: Finding
    kind: str
    name: str
    id: str = ""
    detail: str = ""


class VaultCounts(msgspec.Struct):
    """What agents count, one of them or all added up.

    Attributes:
        begun: snapshots; each of them ends as one of the next three.
        committed: came to their end, from open to close, with nothing refused on the way.
        failed: an attempt of theirs was not answered as it should be.
        cut: the burst ended before they did.
        acknowledged_blocks: PUTs that were answered 200 or 201, so that the vault has to keep what
            they brought.
        acknowledged_bytes: of those blocks and manifests.
        verified_blocks: read-backs that gave, byte for byte, what was put.
        lost: blocks and snapshots that were acknowledged, and that the vault does not know.
        corrupt: likewise, and it gives other bytes, or says itself that they are damaged.
        findings: the first of both, as many as FINDINGS.
        failures: why snapshots have failed: the first reason that each kind of call had.
    """

    agents: int = 0
    begun: int = 0
    committed: int = 0
    failed: int = 0
    cut: int = 0
    acknowledged_blocks: int = 0
    acknowledged_snapshots: int = 0
    acknowledged_bytes: int = 0
    verified_blocks: int = 0
    verified_snapshots: int = 0
    verified_bytes: int = 0
    lost: int = 0
    corrupt: int = 0
    findings: list[Found] = msgspec.field(default_factory=list)
    failures: dict[str, str] = msgspec.field(default_factory=dict)

    def add(self, other: "VaultCounts") -> None:
        """Add what others counted."""
        for name in self.__struct_fields__:
            ours = getattr(self, name)
            if isinstance(ours, int):
                setattr(self, name, ours + getattr(other, name))
        self.findings = (self.findings + other.findings)[:FINDINGS]
        self.failures = {**other.failures, **self.failures}


class Kept(NamedTuple):
    """A snapshot that was acknowledged.

    Attributes:
        number: which of its agent's it is.
        name: what the vault calls it.
        manifest: as it was sent.
    """

    number: int
    name: str
    manifest: bytes


class Ledger:
    """Counts for one agent; what is lost or corrupt counts once for it, however often it is met.

    A snapshot with a finding is not read back again, so that only the blocks of the snapshot under
    way and the common ones, which are few, can be met twice. A common block was acknowledged to
    each agent that has put it: it counts once for each agent that misses it.

    Args:
        counts: where to count; agents may share it.
    """

    def __init__(self, counts: VaultCounts) -> None:
        self.counts = counts
        counts.agents += 1
        self._kept: deque[Kept] = deque(maxlen=KEPT)
        self._found: dict[str, Found] = {}
        self._found_common: dict[str, Found] = {}

    def begin(self) -> None:
        """Begin a snapshot."""
        self.counts.begun += 1
        self._found.clear()

    def acknowledge_block(self, size: int) -> None:
        """Note a block that the vault has to keep."""
        self.counts.acknowledged_blocks += 1
        self.counts.acknowledged_bytes += size

    def acknowledge_snapshot(self, kept: Kept) -> None:
        """Note a snapshot that the vault has to keep."""
        self.counts.acknowledged_snapshots += 1
        self.counts.acknowledged_bytes += len(kept.manifest)
        self._kept.append(kept)

    def verify_block(self, size: int) -> None:
        """Note a block that came back as it was put."""
        self.counts.verified_blocks += 1
        self.counts.verified_bytes += size

    def verify_snapshot(self, size: int) -> None:
        """Note a manifest that came back as it was put."""
        self.counts.verified_snapshots += 1
        self.counts.verified_bytes += size

    def fail(self, kind: str, reason: str) -> None:
        """Note why a snapshot has failed, if it is the first time for this kind of call."""
        self.counts.failures.setdefault(kind, reason)

    def find(self, found: Found, common: bool, snapshot: int) -> None:
        """Note that something acknowledged is not there, or not as it was.

        What is damaged for one call and gone for another (a verify calls both damaged) is lost.

        Args:
            found: what it is.
            common: it is a block that all agents draw from.
            snapshot: the number of the one it was met in.
        """
        self._kept = deque((kept for kept in self._kept if kept.number != snapshot), KEPT)
        by_name = self._found_common if common else self._found
        before = by_name.get(found.name)
        if before is not None and before.what in (found.what, Finding.LOST):
            return
        by_name[found.name] = found
        counts = self.counts
        if found.what is Finding.CORRUPT:
            counts.corrupt += 1
        else:
            counts.lost += 1
            counts.corrupt -= before is not None
        if before in counts.findings:
            counts.findings[counts.findings.index(before)] = found
        elif len(counts.findings) < FINDINGS:
            counts.findings.append(found)

    def older(self, than: int) -> list[Kept]:
        """Give the snapshots before `than` that may be read back again, the oldest first."""
        return [kept for kept in self._kept if kept.number < than]
