"""Outcomes and their names in other vocabularies."""

import errno
from itertools import product

import pytest

from vaultstorm_wire.outcome import (
    MESSAGES,
    NAMES,
    Ending,
    Phase,
    answered_http,
    answered_rpc,
    is_lost,
    lost,
    may_have_executed,
)


@pytest.mark.parametrize("phase, ending", list(product(Phase, Ending)))
def test_every_loss_has_all_names(phase: Phase, ending: Ending) -> None:
    """A phase and an ending are either no outcome or one with all its names and an advice."""
    name = f"{phase}.{ending}"
    if name not in NAMES:
        with pytest.raises(KeyError, match=name):
            lost(phase, ending)
        return
    assert lost(phase, ending) == name
    names = NAMES[name]
    assert names.errno is None or hasattr(errno, names.errno)
    assert names.win32 in MESSAGES
    assert names.proxy_status
    assert names.nel
    assert is_lost(name)


@pytest.mark.parametrize(
    "outcome, hresult",
    [
        ("connect.refused", "0x800706BA"),
        ("tls.reset", "0x800706BF"),
        ("wait.reset", "0x800706BE"),
    ],
)
def test_the_article(outcome: str, hresult: str) -> None:
    """The three errors of KB960007 have the codes that the article shows."""
    assert NAMES[outcome].hresult == hresult


@pytest.mark.parametrize("ending", [Ending.REFUSED, Ending.REJECTED, Ending.MALFORMED])
def test_what_cannot_be(ending: Ending) -> None:
    """A send is neither refused nor rejected nor malformed."""
    with pytest.raises(KeyError):
        lost(Phase.SEND, ending)


@pytest.mark.parametrize("phase", Phase)
def test_local_everywhere(phase: Phase) -> None:
    """The client's own machine can fail in every phase, and never says whom to blame but it."""
    assert NAMES[lost(phase, Ending.LOCAL)].win32 == 1721


@pytest.mark.parametrize(
    "status, outcome", [(200, "ok"), (399, "ok"), (400, "http.400"), (503, "http.503")]
)
def test_http(status: int, outcome: str) -> None:
    """An answer below 400 is ok."""
    assert answered_http(status) == outcome
    assert not is_lost(outcome)


@pytest.mark.parametrize("status, outcome", [(0, "ok"), (0x1C010014, "rpc.0x1c010014")])
def test_rpc(status: int, outcome: str) -> None:
    """An answer without a fault is ok."""
    assert answered_rpc(status) == outcome
    assert not is_lost(outcome)


@pytest.mark.parametrize(
    "outcome, may",
    [
        ("connect.refused", False),
        ("tls.rejected", False),
        ("bind.rejected", False),
        ("send.reset", False),
        ("wait.timeout", True),
        ("receive.closed", True),
        ("ok", True),
        ("http.503", True),
    ],
)
def test_execution(outcome: str, may: bool) -> None:
    """A request may have run from the moment all of it was sent."""
    assert may_have_executed(outcome) is may
