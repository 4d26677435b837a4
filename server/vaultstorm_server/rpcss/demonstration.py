"""The demonstration: an interface with one method, which takes its time and leaves a record."""

from vaultstorm_server.rpcss import orpc
from vaultstorm_server.rpcss.interfaces import Answer, Call, Interface, Later, Operation
from vaultstorm_server.rpcss.objects import ObjectTable
from vaultstorm_wire.dcerpc.demonstration import (
    IDEMONSTRATION,
    IID_DEMONSTRATION,
    WORK,
    WorkIn,
    WorkOut,
)
from vaultstorm_wire.dcerpc.hresult import S_OK
from vaultstorm_wire.dcerpc.orpc import OrpcThat
from vaultstorm_wire.dcerpc.rem_unknown import IID_IUNKNOWN
from vaultstorm_wire.dcerpc.syntax import Syntax

IUNKNOWN = Syntax(IID_IUNKNOWN, 0, 0)

_THAT = OrpcThat()


class Demonstration:
    """IVaultstormDemonstration of one application, and IUnknown, which has nothing on the wire.

    Args:
        objects: that calls are made on.
        oxid: of the application's exporter.
        call_time: seconds that each call takes.

    Attributes:
        executed: how often Work has run.
    """

    def __init__(self, objects: ObjectTable, oxid: int, call_time: float) -> None:
        self._objects = objects
        self._oxid = oxid
        self._call_time = call_time
        self.executed = 0

    def interfaces(self) -> tuple[Interface, Interface]:
        """Give what is to be registered."""
        return (
            Interface(IUNKNOWN, "IUnknown", {}, causal=True, limited=True),
            Interface(
                IDEMONSTRATION,
                "IVaultstormDemonstration",
                {WORK: Operation("Work", self.work)},
                causal=True,
                limited=True,
            ),
        )

    def work(self, call: Call) -> Answer | Later:
        """Run once, at the end of its time: nobody can call it back meanwhile (opnum 3)."""
        target = orpc.target(self._objects, self._oxid, call, IID_DEMONSTRATION)
        orpc.check(WorkIn.decode(call.stub, call.little).orpcthis)

        def run() -> Answer:
            self.executed += 1
            return Answer(WorkOut(_THAT, self.executed, S_OK).encode(), S_OK, target.text)

        return Later(self._call_time, run) if self._call_time else run()
