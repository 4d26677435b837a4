"""Why a bind was rejected; through sockets in test_win32.py."""

import pytest

from vaultstorm_client.rpc.rejection import NAKS, REJECTIONS, rejection
from vaultstorm_wire.dcerpc.events import BindAck, BindNak, ContextAnswer
from vaultstorm_wire.dcerpc.status import ContextResult, ProviderReason
from vaultstorm_wire.dcerpc.syntax import NDR, NO_SYNTAX
from vaultstorm_wire.outcome import MESSAGES

ACCEPTED = ContextAnswer(ContextResult.ACCEPT, 0, NDR)


def refused(reason: int) -> ContextAnswer:
    """Give a provider's rejection."""
    return ContextAnswer(ContextResult.PROVIDER, reason, NO_SYNTAX)


@pytest.mark.parametrize("reason", [0, 1, 2, 3, 4, 8, 9, 65535])
def test_naks(reason: int) -> None:
    """Every reason there may be has a code with a message, and is named or numbered."""
    why = rejection(BindNak(1, reason))
    assert why is not None
    assert why.win32 == NAKS.get(reason, 1727)
    assert why.win32 in MESSAGES
    assert str(reason) in why.detail


@pytest.mark.parametrize("reason", [0, 1, 2, 3, 4, 65535])
def test_rejected_contexts(reason: int) -> None:
    """Likewise for a context."""
    why = rejection(BindAck(1, (refused(reason),), 0, 0, 0))
    assert why is not None
    assert why.win32 == REJECTIONS.get(reason, 1727)
    assert str(reason) in why.detail


def test_the_context_that_is_asked_about() -> None:
    """Each context has its own answer."""
    both = BindAck(1, (refused(ProviderReason.ABSTRACT_SYNTAX), ACCEPTED), 0, 0, 0)
    assert rejection(both, 1) is None
    why = rejection(both)
    assert why is not None
    assert why.detail == "bind_ack: provider rejection, abstract syntax (1)"
