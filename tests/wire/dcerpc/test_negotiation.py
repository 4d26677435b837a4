"""How a Server 2003 answers proposals."""

import pytest

from tests.wire.dcerpc.ends import DEMONSTRATION, RESOLVER, SERVED
from vaultstorm_wire.dcerpc.events import Auth, Bind, BindNak, Context, ContextAnswer, Fault
from vaultstorm_wire.dcerpc.negotiation import answer, fragment_sizes, refuse
from vaultstorm_wire.dcerpc.status import ContextResult, ProviderReason
from vaultstorm_wire.dcerpc.syntax import NDR, NDR64, NO_SYNTAX, Syntax, guid_of

FEATURES = Syntax(guid_of("6cb71c2c-9812-4540-0300-000000000000"), 1, 0)
OK = ContextAnswer(ContextResult.ACCEPT, 0, NDR)
NO_INTERFACE = ContextAnswer(ContextResult.PROVIDER, ProviderReason.ABSTRACT_SYNTAX, NO_SYNTAX)
NO_TRANSFER = ContextAnswer(ContextResult.PROVIDER, ProviderReason.TRANSFER_SYNTAXES, NO_SYNTAX)
OTHER = Syntax(bytes(range(16)), 1, 0)


@pytest.mark.parametrize(
    "abstract, transfers, expected",
    [
        (RESOLVER, (NDR,), OK),
        (RESOLVER, (NDR64, NDR), OK),
        (RESOLVER, (NO_SYNTAX, NDR, NDR, NDR), OK),
        (RESOLVER, (NDR64,), NO_TRANSFER),
        (RESOLVER, (FEATURES,), NO_TRANSFER),
        (NO_SYNTAX, (FEATURES,), NO_TRANSFER),
        (RESOLVER, (NDR._replace(minor=1),), NO_TRANSFER),
        (OTHER, (NDR,), NO_INTERFACE),
        (OTHER, (NDR64,), NO_INTERFACE),
        (NO_SYNTAX, (NO_SYNTAX,), NO_INTERFACE),
        (RESOLVER._replace(major=1), (NDR,), NO_INTERFACE),
        (RESOLVER._replace(minor=1), (NDR,), NO_INTERFACE),
    ],
)
def test_a_context_is_answered(
    abstract: Syntax, transfers: tuple[Syntax, ...], expected: ContextAnswer
) -> None:
    """Only an interface that is served, in NDR, is accepted; the interface is looked at first."""
    assert answer([Context(0, abstract, transfers)], SERVED) == (expected,)


@pytest.mark.parametrize("minor, accepted", [(0, True), (2, True), (3, True), (4, False)])
def test_a_minor_version_up_to_ours_will_do(minor: int, accepted: bool) -> None:
    """A client may know an older minor version of the interface, not a newer one."""
    contexts = [Context(0, Syntax(OTHER.guid, 1, minor), (NDR,))]
    (only,) = answer(contexts, [Syntax(OTHER.guid, 1, 3)])
    assert (only.result is ContextResult.ACCEPT) is accepted


def test_one_context_for_each_interface_in_one_bind() -> None:
    """Windows takes several contexts for one interface as a choice, and accepts one of them."""
    contexts = [
        Context(0, RESOLVER, (NDR64,)),
        Context(1, RESOLVER, (NDR,)),
        Context(2, RESOLVER, (NDR,)),
        Context(3, DEMONSTRATION, (NDR,)),
        Context(3, OTHER, (NDR,)),
    ]
    expected = (NO_TRANSFER, OK, NO_TRANSFER, OK, NO_INTERFACE)
    assert answer(contexts, SERVED) == expected


def test_one_context_for_each_id_in_one_bind() -> None:
    """An id that is proposed for two interfaces at once stands for the first."""
    contexts = [Context(5, RESOLVER, (NDR,)), Context(5, DEMONSTRATION, (NDR,))]
    assert answer(contexts, SERVED) == (OK, NO_TRANSFER)


@pytest.mark.parametrize(
    "xmit, recv, expected",
    [
        (5840, 5840, 5840),
        (0xFFFF, 0xFFFF, 5840),
        (5841, 5841, 5840),
        (5839, 5840, 5832),
        (4280, 4280, 4280),
        (3199, 0xFFFF, 3192),
        (0xFFFF, 3199, 3192),
        (1433, 5840, 1432),
        (1432, 1432, 1432),
        (1431, 5840, 2048),
        (5840, 1431, 2048),
        (0, 0xFFFF, 2048),
        (0xFFFF, 0, 2048),
        (3199, 0, 2048),
        (0, 0, 2048),
    ],
)
def test_fragment_sizes(xmit: int, recv: int, expected: int) -> None:
    """Both sizes are the smallest offered, in eights, and never below what all must read."""
    assert fragment_sizes(Bind(1, (), 0, xmit, recv)) == (expected, expected)


@pytest.mark.parametrize("ours, expected", [(1432, 1432), (1433, 1432), (4280, 4280), (9000, 5840)])
def test_our_own_fragment_size_counts_too(ours: int, expected: int) -> None:
    """A smaller setting of ours is what the client is told."""
    assert fragment_sizes(Bind(1, ()), ours) == (expected, expected)


@pytest.mark.parametrize("auth_type", [0, 9, 10, 255])
@pytest.mark.parametrize(
    "level, reason", [(0, 0), (1, 0), (2, 8), (3, 8), (4, 8), (5, 8), (6, 8), (7, 0), (255, 0)]
)
def test_authentication_is_refused(auth_type: int, level: int, reason: int) -> None:
    """No type is known, whichever it is; a level that there is not is looked at before."""
    auth = Auth(auth_type, level)
    assert refuse(Bind(7, (), auth=auth), auth) == BindNak(7, reason)
    assert refuse(Bind(7, (), auth=auth, alter=True), auth) == Fault(7, 0, 5, did_not_execute=True)
