"""The requests that all clients have in common."""

from vaultstorm_client.plan import Plan
from vaultstorm_client.rpc.shared import Shared
from vaultstorm_client.target import parse
from vaultstorm_wire.dcerpc.demonstration import (
    CLSID_DEMONSTRATION,
    IDEMONSTRATION,
    IID_DEMONSTRATION,
    WORK,
    WorkIn,
)
from vaultstorm_wire.dcerpc.scm_activator import (
    ISYSTEM_ACTIVATOR,
    REMOTE_CREATE_INSTANCE,
    RemoteCreateInstanceIn,
)
from vaultstorm_wire.dcerpc.syntax import NDR, guid_of

CID = bytes(range(16, 32))
SHARED = Shared(Plan(seed=9, calls=4), parse("rpc://127.0.0.1"))


def test_the_resolver() -> None:
    """Activations go to the target, on port 135 if none is named."""
    assert SHARED.resolver.text == "127.0.0.1:135"
    assert (SHARED.calls, SHARED.seed) == (4, 9)


def test_an_activation() -> None:
    """It asks for the demonstration class, and carries its causality id."""
    request = SHARED.activation(7, CID)
    assert (request.call_id, request.context_id, request.object) == (7, 0, None)
    assert request.opnum == REMOTE_CREATE_INSTANCE
    asked = RemoteCreateInstanceIn.decode(request.stub)
    assert asked.orpcthis.cid == CID
    assert (asked.clsid, asked.iids) == (CLSID_DEMONSTRATION, (IID_DEMONSTRATION,))


def test_another_class() -> None:
    """Any class can be asked for, by its guid in any form."""
    plan = Plan(clsid="{00000000-0000-0000-C000-000000000046}")
    request = Shared(plan, parse("rpc://127.0.0.1")).activation(2, CID)
    asked = RemoteCreateInstanceIn.decode(request.stub)
    assert asked.clsid == guid_of("00000000-0000-0000-c000-000000000046")


def test_a_call() -> None:
    """It goes to the object, and carries its causality id."""
    request = SHARED.call(8, CID, b"p" * 16)
    assert (request.call_id, request.opnum, request.object) == (8, WORK, b"p" * 16)
    assert WorkIn.decode(request.stub).orpcthis.cid == CID


def test_the_binds() -> None:
    """Each connection has one context, in NDR."""
    for operation, interface in (("activation", ISYSTEM_ACTIVATOR), ("call", IDEMONSTRATION)):
        (context,) = SHARED.bind(operation).contexts
        assert (context.id, context.abstract, context.transfers) == (0, interface, (NDR,))
