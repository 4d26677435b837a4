"""How long a kept connection stays bound to its worker process: KB908739, and the fix of it."""

from typing import Protocol


class Binding(Protocol):
    """What decides whether a connection's next request goes to the worker of the one before."""

    def holds(self, stopping: bool) -> bool:
        """Whether the connections of a worker in the pool's list stay bound to it.

        Args:
            stopping: it has been told to shut down, and its handle is not closed yet.
        """
        ...


class ListedBinding:
    """Before the hotfix: bound for as long as the process is in the pool's list.

    KB908739: "The client uses this connection to the process for all subsequent requests as long as
    the process is still in the application pool. However, the process does not accept subsequent
    connections after the shutdown process is initiated. Therefore, a connection may be lost if a
    request is received after the shutdown procedure for the process starts but before the process
    is removed from the application pool list."
    """

    def holds(self, stopping: bool) -> bool:
        """Hold, whatever the worker has been told."""
        return True


class ServingBinding:
    """Http.sys 5.2.3790.419 (RTM), .2542 (SP1) and SP2: bound while the process takes requests.

    The article says what is wrong and not how it was put right: a request on a connection of a
    process that "does not accept subsequent connections after the shutdown process is initiated"
    goes onto the pool's queue, for the next worker. The connection is then bound to that one.
    """

    def holds(self, stopping: bool) -> bool:
        """Hold until the worker is told to shut down."""
        return not stopping


def binding(hotfix: int) -> Binding:
    """Choose by `httpsys.KB908739`: 0 as it was shipped, 1 with the hotfix."""
    return ServingBinding() if hotfix else ListedBinding()
