"""Where a connection stands: its state, what was agreed on, and its calls."""

from vaultstorm_wire.dcerpc.agreement import Agreement
from vaultstorm_wire.dcerpc.fragments import Budget
from vaultstorm_wire.dcerpc.progress import Progress
from vaultstorm_wire.dcerpc.states import State


class Dialogue:
    """What one end knows of a connection, whoever sent what.

    Attributes:
        state: what has been agreed so far.
        agreement: contexts, sizes, the group.
        progress: the calls on their way.
    """

    __slots__ = ("agreement", "progress", "state")

    def __init__(
        self,
        max_stub: int,
        max_contexts: int,
        max_assembling: int,
        budget: Budget | None = None,
    ) -> None:
        self.state = State.ESTABLISHED
        self.agreement = Agreement(max_contexts)
        self.progress = Progress(max_stub, max_assembling, budget)

    def enter(self, state: State) -> None:
        """Go on; a closed connection has no calls."""
        self.state = state
        if state is State.CLOSED:
            self.progress.clear()

    def is_alter(self, call_id: int) -> bool:
        """Tell whether a fault to this call would be one to the alter_context that waits."""
        if self.state is not State.ALTERING or self.agreement.proposal is None:
            return False
        return self.agreement.proposal.call_id == call_id and call_id not in self.progress.open
