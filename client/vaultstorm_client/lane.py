"""One agent on the wire: its connections, each of which makes one of its calls at a time."""

from typing import TYPE_CHECKING, ClassVar

from vaultstorm_client.agent.agent import Agent
from vaultstorm_client.agent.calls import Answer, Call, Kind
from vaultstorm_client.attempt import Attempt
from vaultstorm_client.body import BodyResponse
from vaultstorm_client.client import Client
from vaultstorm_client.clock import epoch, monotonic
from vaultstorm_client.dialler import State
from vaultstorm_client.exchange import Exchange
from vaultstorm_client.loop import NEVER
from vaultstorm_client.stream import Stream
from vaultstorm_wire import journal
from vaultstorm_wire.outcome import is_lost

if TYPE_CHECKING:
    from vaultstorm_client.engine import Engine


class Crew:
    """The connections of one agent, and the calls it has made so far.

    Args:
        engine: what they share with all others.
        agent: tells them what to do.
        size: how many there are.
        scheduled: when the agent arrives.
    """

    def __init__(self, engine: "Engine", agent: Agent, size: int, scheduled: float) -> None:
        self.agent = agent
        self._engine = engine
        self._made = 0
        first = agent.index * size
        self.lanes = [Lane(engine, first + nth, scheduled, self) for nth in range(size)]
        self._asleep = self.lanes[:0:-1]
        self._working = size

    def number(self) -> str:
        """Name the next request."""
        made = self._made
        self._made = made + 1
        return self._engine.request_id(self.agent.index, made)

    def sleep(self, lane: "Lane") -> None:
        """Let a lane wait, without a deadline, for a call of another one to end."""
        self._asleep.append(lane)

    def ended(self, lane: "Lane", call: Call, answer: Answer | None, end: float) -> None:
        """Tell the agent, and get to work all who are needed for what follows."""
        request_id = lane.request_id
        if self.agent.ended(call, answer, end):
            self._engine.acknowledged(
                journal.Acknowledged(
                    time=epoch(end),
                    id=request_id,
                    kind="block" if call.kind is Kind.PUT else "snapshot",
                    name=call.name,
                    sha256=call.sha256,
                    bytes=len(call.body or b""),
                )
            )
        self._engine.loop.soon(lane)
        self._wake(self.agent.waiting - 1)

    def retired(self) -> None:
        """Count a lane that does nothing any more: then there is nothing to do for any of them."""
        self._working -= 1
        if not self._working:
            self.agent.stop()
        self._wake(len(self._asleep))

    def _wake(self, count: int) -> None:
        now = monotonic()
        while count > 0 and self._asleep:
            count -= 1
            self._asleep.pop().wake(now)


class Lane(Client):
    """A client that does what its agent says."""

    __slots__ = ("_call", "_crew", "_response")

    def __init__(self, engine: "Engine", index: int, scheduled: float, crew: Crew) -> None:
        super().__init__(engine, index, scheduled)
        self._crew = crew
        self._call: Call | None = None
        self._response: BodyResponse | None = None

    @property
    def request_id(self) -> str:
        """The id of its attempt."""
        return self._attempt.id

    def wake(self, now: float) -> None:
        """End its sleep: there is something to do from now on."""
        self._scheduled = now
        self._engine.loop.soon(self)

    def prepare(self) -> bool:
        """Begin an attempt up to, but not including, connect(); False if that already failed."""
        if self._call is None:  # in a spike, which begins with the first call of each agent
            first = self._crew.agent.next(self._scheduled)
            assert isinstance(first, Call)
            self._call = first
        return super().prepare()

    def interrupt(self) -> None:
        """Give up, and have the agent give up its snapshot before the attempt that ends by it."""
        self._crew.agent.stop()
        super().interrupt()

    def _begin(self, now: float) -> None:
        if self._engine.over(now):
            self._retire()
            return
        turn = self._crew.agent.next(now)
        if isinstance(turn, Call):
            self._call = turn
            super()._begin(now)
        elif turn is None:
            self._retire()
        elif turn.until == NEVER:
            self._crew.sleep(self)
        else:
            self._scheduled = turn.until
            self._engine.loop.set_deadline(self, min(turn.until, self._engine.stop_at))

    def _new_attempt(self, now: float) -> Attempt:
        return Attempt(self._crew.number(), self._scheduled, now)

    def _new_exchange(self, stream: Stream) -> Exchange:
        engine, attempt, call = self._engine, self._attempt, self._call
        assert call is not None
        request = engine.call(call, attempt.id, last=not engine.plan.keep_alive)
        self._response = BodyResponse(call.keep)
        return Exchange(stream, attempt, request, self._response)

    def _go_to_next(self, outcome: str, end: float) -> None:
        call, response, answer = self._call, self._response, None
        assert call is not None
        if not is_lost(outcome):
            assert response is not None
            assert response.status is not None
            answer = Answer(response.status, response.body, self.request_id)
        self._call = self._response = self._exchange = None  # they hold blocks
        self._scheduled = monotonic()
        self._crew.ended(self, call, answer, end)

    def _retire(self) -> None:
        super()._retire()
        self._crew.retired()

    _EXPIRED: ClassVar = {**Client._EXPIRED, State.RESTING: _begin}
