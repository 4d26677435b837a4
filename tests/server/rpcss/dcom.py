"""What a DCOM client does, step by step."""

from typing import NamedTuple
from uuid import UUID, uuid4

from tests.server.rpcss.serving import APPID, DEMONSTRATION, REM_UNKNOWN, SCM, Client, Pdu, Served
from vaultstorm_wire.dcerpc.demonstration import WORK, WorkIn, WorkOut
from vaultstorm_wire.dcerpc.orpc import COMVERSION, ComVersion, OrpcThis
from vaultstorm_wire.dcerpc.scm_activator import (
    REMOTE_CREATE_INSTANCE,
    RemoteCreateInstanceIn,
    RemoteCreateInstanceOut,
)
from vaultstorm_wire.dcerpc.syntax import guid_of

IUNKNOWN = "00000000-0000-0000-c000-000000000046"
CLASS_FACTORY = "00000001-0000-0000-c000-000000000046"
IID = guid_of(DEMONSTRATION)
CLSID = guid_of(APPID)


class Reference(NamedTuple):
    """An interface of an object that was activated."""

    port: int
    oxid: int
    oid: int
    ipid: bytes
    rem_unknown: bytes


def this(cid: UUID | None = None, *, version: ComVersion = COMVERSION, flags: int = 0) -> OrpcThis:
    """Make the first parameter of a call."""
    return OrpcThis(version, flags, (cid or uuid4()).bytes_le)


def create(
    client: Client, iids: tuple[str, ...] = (DEMONSTRATION,), clsid: str = APPID, **named: object
) -> RemoteCreateInstanceOut:
    """Call RemoteCreateInstance on a connection that is bound for it."""
    asked = RemoteCreateInstanceIn(
        this(**named),  # type: ignore[arg-type]
        guid_of(clsid),
        tuple(guid_of(iid) for iid in iids),
    )
    answer = client.call(REMOTE_CREATE_INSTANCE, asked.encode())
    return RemoteCreateInstanceOut.decode(answer.stub)


def activate(served: Served, clsid: str = APPID, cid: UUID | None = None) -> Reference:
    """Make an object, on a connection of its own."""
    with Client(served.port) as client:
        client.bind(SCM)
        made = create(client, clsid=clsid, cid=cid)
    assert made.hresult == 0
    reference = made.results[0][1]
    assert reference is not None
    assert made.bindings is not None
    endpoint = made.bindings.strings[0].address
    return Reference(
        int(endpoint.partition("[")[2].rstrip("]")),
        made.oxid,
        reference.std.oid,
        reference.std.ipid,
        made.ipid_rem_unknown,
    )


def work(client: Client, ipid: bytes, cid: UUID | None = None, **named: object) -> Pdu:
    """Call Work on a connection that is bound for it; give the answer."""
    asked = WorkIn(this(cid, **named))  # type: ignore[arg-type]
    return client.call(WORK, asked.encode(), object=ipid)


def executed(answer: Pdu) -> int:
    """Read how often Work has run from its answer."""
    out = WorkOut.decode(answer.stub)
    assert out.hresult == 0
    return out.executed


def caller(reference: Reference, interface: str = DEMONSTRATION) -> Client:
    """Connect to the exporter, and bind."""
    client = Client(reference.port)
    client.bind(interface)
    return client


def rem_unknown(reference: Reference) -> Client:
    """Connect to the exporter, and bind for its IRemUnknown."""
    return caller(reference, REM_UNKNOWN)
