"""What the answer to an activation, or to a call, says."""

from typing import Final, NamedTuple

from vaultstorm_client.response import Malformed
from vaultstorm_wire.dcerpc import status as fault
from vaultstorm_wire.dcerpc.demonstration import WorkOut
from vaultstorm_wire.dcerpc.events import Event, Fault, Response
from vaultstorm_wire.dcerpc.hresult import succeeded
from vaultstorm_wire.dcerpc.ndr import NdrError
from vaultstorm_wire.dcerpc.objref import StringBinding
from vaultstorm_wire.dcerpc.scm_activator import RemoteCreateInstanceOut

_FAULTS: Final[dict[int, str]] = {
    number: name.lower()
    for name, number in vars(fault).items()
    if name.startswith("NCA_") and isinstance(number, int)
}


class Answer(NamedTuple):
    """How an attempt was answered.

    Attributes:
        status: of a fault, or the HRESULT of a response that failed; 0 for one that did not.
        detail: what the status alone does not say.
        ipid: the interface pointer that an activation gave.
        bindings: where its object is.
    """

    status: int
    detail: str | None = None
    ipid: bytes = b""
    bindings: tuple[StringBinding, ...] = ()


def activated(event: Event | None) -> Answer:
    """Read the answer to RemoteCreateInstance. Raises Malformed if it is none."""
    if isinstance(event, Fault):
        return faulted(event)
    response = _response(event)
    try:
        out = RemoteCreateInstanceOut.decode(response.stub, response.little)
    except NdrError as error:
        raise Malformed(f"RemoteCreateInstance: {error}") from error
    if not succeeded(out.hresult):
        return Answer(out.hresult)
    if not out.results or out.bindings is None:  # a Win32 code stands for itself
        return _without_object(out.hresult)
    hresult, reference = out.results[0]
    if not succeeded(hresult):
        return Answer(hresult)
    if reference is None:
        return _without_object(hresult)
    return Answer(0, None, reference.std.ipid, out.bindings.strings)


def worked(event: Event | None) -> Answer:
    """Read the answer to Work. Raises Malformed if it is none."""
    if isinstance(event, Fault):
        return faulted(event)
    response = _response(event)
    try:
        out = WorkOut.decode(response.stub, response.little)
    except NdrError as error:
        raise Malformed(f"Work: {error}") from error
    return Answer(0 if succeeded(out.hresult) else out.hresult)


def faulted(event: Fault) -> Answer:
    """Say which fault it is, and whether the server vouches that the call did not run."""
    name = _FAULTS.get(event.status, "fault")
    return Answer(event.status, f"{name}, did not execute" if event.did_not_execute else name)


def _without_object(hresult: int) -> Answer:
    if not hresult:
        raise Malformed("an activation that succeeded, without an object")
    return Answer(hresult)


def _response(event: Event | None) -> Response:
    if not isinstance(event, Response):
        raise Malformed(f"{type(event).__name__} is no answer to a call")
    return event
