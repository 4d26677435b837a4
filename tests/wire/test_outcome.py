"""Outcomes and their names in other vocabularies."""

import errno
from itertools import product

import pytest

from vaultstorm_wire.outcome import (
    HRESULTS,
    MESSAGES,
    NAMES,
    NEVER_RAN,
    Ending,
    Phase,
    answered_http,
    answered_rpc,
    hresult_of,
    is_lost,
    lost,
    may_have_executed,
    message_of,
    win32_of,
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
    "outcome, win32, hresult",
    [
        ("ok", None, None),
        ("http.503", None, None),
        ("connect.refused", 1722, "0x800706BA"),
        ("connect.timeout", 1722, "0x800706BA"),
        ("bind.reset", 1727, "0x800706BF"),
        ("wait.reset", 1726, "0x800706BE"),
        ("wait.timeout", 1818, "0x8007071A"),
        ("rpc.0x1c010014", 1723, "0x800706BB"),
        ("rpc.0x1c010003", 1717, "0x800706B5"),
        ("rpc.0x00000005", 5, "0x80070005"),
        ("rpc.0x000006d9", 1753, "0x800706D9"),
        ("rpc.0x8007000e", 14, "0x8007000E"),
        ("rpc.0x80040154", None, "0x80040154"),
        ("rpc.0x1c010099", None, "0x1C010099"),
    ],
)
def test_what_windows_shows(outcome: str, win32: int | None, hresult: str | None) -> None:
    """A loss, a fault and an HRESULT each have what an application shows; other answers none."""
    assert win32_of(outcome) == win32
    assert hresult_of(outcome) == hresult
    assert hresult is None or message_of(hresult) or hresult == "0x1C010099"


def test_an_attempts_own_code() -> None:
    """The reason of a rejected bind is stronger than what its outcome says."""
    assert hresult_of("bind.rejected") == "0x800706BB"
    assert hresult_of("bind.rejected", 1717) == "0x800706B5"


# All that an RPC call can give (MS-RPCE 3.1.1.5.5, MS-ERREF 2.2).
CODES = (
    *(5, 6, 1130, 1715, 1717, 1721, 1722, 1723, 1726, 1727, 1728, 1730, 1745, 1752, 1753, 1783),
    *(1818, 1820, 1910, 1911, 1912),
)


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_its_message(code: int) -> None:
    """What the RPC runtime reports can be told in its own words."""
    assert message_of(f"0x{0x80070000 | code:08X}") == MESSAGES[code]
    assert MESSAGES[code].endswith(".")


@pytest.mark.parametrize("hresult", HRESULTS)
def test_every_hresult_has_its_message(hresult: int) -> None:
    """So can what COM does."""
    assert message_of(f"0x{hresult:08X}") == HRESULTS[hresult]
    assert hresult >> 16 != 0x8007


@pytest.mark.parametrize("fault", sorted(NEVER_RAN))
def test_a_fault_before_the_call_ran(fault: int) -> None:
    """Where the server says that it did not come to running the call, it did not run."""
    assert not may_have_executed(answered_rpc(fault))


@pytest.mark.parametrize(
    "outcome, may",
    [
        ("rpc.0x1c000012", True),
        ("rpc.0x1c01000b", True),
        ("rpc.0x80040154", True),
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
