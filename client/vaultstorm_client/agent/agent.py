"""One backup agent: which call it makes next, and what it makes of the answers.

It is pure: whoever has a free connection asks `next`, and tells `ended` how each call ended. A call
is given out once; one that was not answered as it should be ends its snapshot.
"""

import hashlib
import random
from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum, auto
from functools import partial
from typing import ClassVar, Final, NamedTuple

from vaultstorm_client.agent import calls
from vaultstorm_client.agent.blocks import Block, Blocks, content
from vaultstorm_client.agent.calls import Answer, Call, Kind
from vaultstorm_client.agent.findings import difference, reason, refusal
from vaultstorm_client.agent.ledger import Finding, Found, Kept, Ledger

NEVER: Final = float("inf")
_GOOD: Final = (200, 201)
"""What the vault says to a call that it has carried out."""


class Step(Enum):
    """How far a snapshot has come."""

    OPENING = auto()
    PUTTING = auto()
    COMMITTING = auto()
    READING_BACK = auto()
    CLOSING = auto()
    THINKING = auto()
    """Between two snapshots, and before the first."""
    RETIRED = auto()


class Rest(NamedTuple):
    """There is nothing to do before an instant; NEVER: before another call has ended."""

    until: float


class Agent:
    """Takes one snapshot after the other.

    Args:
        index: its number in the burst.
        blocks: what its snapshots are made of.
        ledger: its own.
        snapshots: how many it takes; None for no end.
        think: seconds between two.
    """

    def __init__(
        self,
        index: int,
        blocks: Blocks,
        ledger: Ledger,
        snapshots: int | None = 1,
        think: float = 0.0,
    ) -> None:
        self.index = index
        self._blocks = blocks
        self._ledger = ledger
        self._left = NEVER if snapshots is None else snapshots
        self._think = think
        self._step = Step.THINKING
        self._until = -NEVER
        self._number = -1
        self._calls: deque[Callable[[], Call]] = deque()
        self._out = 0
        self._failed = False
        self._interface = ""
        self._made_of: tuple[Block, ...] = ()
        self._names: list[str] = []
        self._made: Kept | None = None  # once its manifest is

    @property
    def step(self) -> Step:
        """How far its snapshot has come."""
        return self._step

    @property
    def waiting(self) -> int:
        """How many calls wait for a connection."""
        return len(self._calls)

    def next(self, now: float) -> Call | Rest | None:
        """Give the next call to make; None once there will be none any more."""
        if self._step is Step.THINKING and now >= self._until:
            self._begin()
        if self._calls:
            self._out += 1
            return self._calls.popleft()()
        if self._step is Step.RETIRED:
            return None
        return Rest(self._until if self._step is Step.THINKING else NEVER)

    def ended(self, call: Call, answer: Answer | None, now: float) -> bool:
        """Take the end of a call that `next` gave; None is one without a complete answer.

        Returns:
            Whether the vault has acknowledged that it keeps what the call brought.
        """
        self._out -= 1
        good = False
        if answer is not None:
            good = answer.status in _GOOD and self._TAKE[call.kind](self, call, answer)
            if answer.status >= 400:
                self._look_for_losses(call, answer)
        if not good:
            if self._step is not Step.RETIRED:
                self._ledger.fail(call.kind.name.lower(), reason(call, answer))
            self._failed = True
            self._calls.clear()
        if not (self._calls or self._out or self._step is Step.RETIRED):
            self._go_on(now)
        return good and call.kind in (Kind.PUT, Kind.COMMIT)

    def stop(self) -> None:
        """Take no further snapshot; one that is under way is cut, unless it has failed already."""
        if self._step not in (Step.THINKING, Step.RETIRED):
            if self._failed:
                self._ledger.counts.failed += 1
            else:
                self._ledger.counts.cut += 1
        self._step = Step.RETIRED
        self._calls.clear()

    # From step to step.

    def _begin(self) -> None:
        self._ledger.begin()
        self._number += 1
        self._left -= 1
        self._failed = False
        self._made = None
        self._made_of = self._blocks.snapshot(self.index, self._number)
        self._enter(Step.OPENING)

    def _enter(self, step: Step) -> None:
        self._step = step
        self._calls.extend(self._CALLS[step](self))

    def _go_on(self, now: float) -> None:
        if self._failed:
            self._ledger.counts.failed += 1
        elif self._step is Step.CLOSING:
            self._ledger.counts.committed += 1
        else:
            self._enter(self._NEXT[self._step])
            return
        self._until = now + self._think
        self._step = Step.THINKING if self._left else Step.RETIRED

    # The calls of each step, made when their turn has come: what they carry takes memory.

    def _open(self) -> Iterator[Callable[[], Call]]:
        yield calls.opening

    def _put_all(self) -> Iterator[Callable[[], Call]]:
        self._names = [""] * self._blocks.count
        for nth in range(self._blocks.count):
            yield partial(self._put, nth)

    def _put(self, nth: int) -> Call:
        block = self._made_of[nth]
        data = content(block)
        self._names[nth] = digest = hashlib.sha256(data).hexdigest()
        return calls.putting(self._interface, digest, data, block.common)

    def _commit_it(self) -> Iterator[Callable[[], Call]]:
        manifest = calls.manifest_of(self._names)
        digest = hashlib.sha256(manifest).hexdigest()
        name = self._blocks.snapshot_name(self.index, self._number, digest)
        self._made = Kept(self._number, name, manifest)
        yield partial(calls.committing, self._interface, name, manifest, digest, self._blocks.count)

    def _read_back(self) -> Iterator[Callable[[], Call]]:
        """Have it verified, read all of it meanwhile, and a piece of an older one.

        Its manifest, too: one that was kept wrong from the start lists what can be verified well.
        """
        assert self._made is not None
        yield partial(
            calls.verifying, self._interface, self._made.name, self._blocks.count, self._number
        )
        yield self._reading_manifest(self._made)
        for block, name in zip(self._made_of, self._names, strict=True):
            yield partial(self._read, self._number, block, name)
        older = self._ledger.older(self._number)
        if older:
            draw = random.Random(f"{self._made.name}-older").randrange
            kept = older[draw(len(older))]
            block = self._blocks.snapshot(self.index, kept.number)[draw(self._blocks.count)]
            yield partial(self._read, kept.number, block, None)
            yield self._reading_manifest(kept)

    def _reading_manifest(self, kept: Kept) -> Callable[[], Call]:
        return partial(
            calls.reading_manifest, self._interface, kept.name, kept.manifest, kept.number
        )

    def _read(self, number: int, block: Block, name: str | None) -> Call:
        data = content(block)
        name = name or hashlib.sha256(data).hexdigest()
        return calls.reading(self._interface, name, data, block.common, number)

    def _close(self) -> Iterator[Callable[[], Call]]:
        yield partial(calls.closing, self._interface)

    _NEXT: ClassVar[dict[Step, Step]] = {
        Step.OPENING: Step.PUTTING,
        Step.PUTTING: Step.COMMITTING,
        Step.COMMITTING: Step.READING_BACK,
        Step.READING_BACK: Step.CLOSING,
    }
    _CALLS: ClassVar[dict[Step, Callable[["Agent"], Iterator[Callable[[], Call]]]]] = {
        Step.OPENING: _open,
        Step.PUTTING: _put_all,
        Step.COMMITTING: _commit_it,
        Step.READING_BACK: _read_back,
        Step.CLOSING: _close,
    }

    # The answers: False for one that is not the vault's.

    def _opened(self, call: Call, answer: Answer) -> bool:
        del call
        self._interface = calls.interface_in(answer) or ""
        return bool(self._interface)

    def _put_away(self, call: Call, answer: Answer) -> bool:
        if calls.content_of(answer).get("block") != call.name:
            return False
        self._ledger.acknowledge_block(len(call.body or b""))
        return True

    def _committed(self, call: Call, answer: Answer) -> bool:
        if calls.content_of(answer).get("snapshot") != call.name:
            return False
        assert self._made is not None
        self._ledger.acknowledge_snapshot(self._made)
        return True

    def _verified(self, call: Call, answer: Answer) -> bool:
        said = calls.content_of(answer)
        damaged, count = calls.names_in(answer, "damaged"), said.get("blocks")
        if damaged is None or said.get("snapshot") != call.name or type(count) is not int:
            return False
        ours = [name for name in damaged if name in self._names]
        self._find_blocks(Finding.CORRUPT, ours, "verify calls it damaged", answer)
        if count != len(self._names):
            detail = f"verify has {count} blocks in it, {len(self._names)} were committed"
            self._find(Finding.CORRUPT, call, detail, answer)
        elif len(ours) < len(damaged):
            detail = "verify has damaged blocks in it that were not committed"
            self._find(Finding.CORRUPT, call, detail, answer)
        return True

    def _given_back(self, call: Call, answer: Answer) -> bool:
        size, detail = len(call.expected), difference(call.expected, answer.body)
        if detail is not None:
            self._find(Finding.CORRUPT, call, detail, answer)
        elif call.kind is Kind.READ:
            self._ledger.verify_block(size)
        else:
            self._ledger.verify_snapshot(size)
        return True

    def _closed(self, call: Call, answer: Answer) -> bool:
        del call, answer
        return True

    _TAKE: ClassVar[dict[Kind, Callable[["Agent", Call, Answer], bool]]] = {
        Kind.OPEN: _opened,
        Kind.PUT: _put_away,
        Kind.COMMIT: _committed,
        Kind.VERIFY: _verified,
        Kind.READ: _given_back,
        Kind.READ_MANIFEST: _given_back,
        Kind.CLOSE: _closed,
    }

    # What a refusal says of what was acknowledged.

    def _look_for_losses(self, call: Call, answer: Answer) -> None:
        shown = refusal(call, answer)
        if shown is not None:
            what, detail = shown
            self._find(what, call, detail, answer)
        elif call.kind is Kind.COMMIT and calls.code_in(answer) == "missing_blocks":
            missing = calls.names_in(answer, "missing") or []
            ours = [name for name in missing if name in self._names]
            self._find_blocks(Finding.LOST, ours, f"{answer.status} missing_blocks", answer)

    def _find(self, what: Finding, call: Call, detail: str, answer: Answer) -> None:
        kind = "block" if call.kind is Kind.READ else "snapshot"
        found = Found(what, kind, call.name, answer.id, detail)
        self._ledger.find(found, call.common, call.snapshot)

    def _find_blocks(self, what: Finding, names: list[str], detail: str, answer: Answer) -> None:
        for name in names:
            common = self._made_of[self._names.index(name)].common
            self._ledger.find(Found(what, "block", name, answer.id, detail), common, self._number)
