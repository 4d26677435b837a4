"""Drives an agent without a socket: lanes are places in a list, and any may end first."""

from collections.abc import Callable

from tests.client.fake_vault import FakeVault
from vaultstorm_client.agent.agent import Agent, Rest
from vaultstorm_client.agent.blocks import Blocks
from vaultstorm_client.agent.calls import Answer, Call, Kind
from vaultstorm_client.agent.ledger import Ledger, VaultCounts
from vaultstorm_client.agent.sizes import parse

Pick = Callable[[int], int]
"""Of so many calls that are out, which one ends next."""
Lose = Callable[[Call], bool]


def first(out: int) -> int:
    """Let calls end in the order they began in."""
    del out
    return 0


def last(out: int) -> int:
    """Let the call that began last end first."""
    return out - 1


class Driven:
    """An agent, its counts, and what it has done.

    Attributes:
        made: all calls in the order they began in.
        acknowledged: the names in the order they were acknowledged in.
        most: how many calls were out at once.
        ended: how many have ended; the request of the n-th is called ``rN``, from 0 on.
    """

    def __init__(
        self,
        lanes: int = 4,
        blocks: int = 8,
        snapshots: int | None = 1,
        sizes: str = "100*3,2000",
        think: float = 0.0,
        seed: int = 7,
        index: int = 0,
    ) -> None:
        self.counts = VaultCounts()
        made = Blocks(seed, blocks, parse(sizes))
        self.agent = Agent(index, made, Ledger(self.counts), snapshots, think)
        self.made: list[Call] = []
        self.acknowledged: list[str] = []
        self.most = 0
        self.ended = 0
        self._lanes = lanes
        self._out: list[Call] = []

    def run(
        self,
        vault: FakeVault,
        pick: Pick = first,
        lose: Lose = lambda call: False,
        calls: int | None = None,
        now: float = 0.0,
    ) -> "Driven":
        """Go on until the agent retires or rests, or `calls` have ended; out ones stay out then."""
        while calls is None or calls:
            turn = self.agent.next(now) if len(self._out) < self._lanes else Rest(now)
            if isinstance(turn, Call):
                self.made.append(turn)
                self._out.append(turn)
                self.most = max(self.most, len(self._out))
                continue
            if not self._out:
                assert turn is None or now < turn.until < float("inf")  # nothing would wake it
                break
            self.end(self._out.pop(pick(len(self._out))), vault, lose, now)
            calls = None if calls is None else calls - 1
        ended = self.counts.committed + self.counts.failed + self.counts.cut
        assert self.counts.begun - ended == bool(self._out or self.agent.waiting)
        return self

    def finish(self, vault: FakeVault) -> "Driven":
        """Let what is out end, and begin nothing any more."""
        while self._out:
            self.end(self._out.pop(0), vault, lambda call: False, 0.0)
        return self

    def end(self, call: Call, vault: FakeVault, lose: Lose, now: float) -> None:
        """Let one call end."""
        answer = None
        if not lose(call):
            said = vault.answer(call.method, vault.base + call.path, call.body or b"")
            answer = (
                None if said is None else Answer(said[0], said[1][: call.keep], f"r{self.ended}")
            )
        self.ended += 1
        if self.agent.ended(call, answer, now):
            assert call.sha256
            self.acknowledged.append(call.name)

    @property
    def kinds(self) -> list[Kind]:
        """The kinds of the calls made."""
        return [call.kind for call in self.made]
