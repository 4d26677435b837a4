"""HRESULTs: our names and numbers against an independent list of MS-ERREF's."""

from impacket.hresult_errors import ERROR_MESSAGES

from vaultstorm_wire.dcerpc import hresult
from vaultstorm_wire.dcerpc.hresult import CO_S_NOTALLINTERFACES, E_NOINTERFACE, S_FALSE, succeeded


def test_names_and_numbers_belong_together() -> None:
    """Every failure has the number that MS-ERREF gives its name."""
    ours = {
        name: value for name, value in vars(hresult).items() if "_E_" in name or name[:2] == "E_"
    }
    assert len(ours) > 10
    assert ours == {name: value for name, value in ours.items() if ERROR_MESSAGES[value][0] == name}


def test_the_severity_bit_says_success() -> None:
    """Codes without the highest bit are successes, whatever else they say."""
    assert succeeded(0)
    assert succeeded(S_FALSE)
    assert succeeded(CO_S_NOTALLINTERFACES)
    assert succeeded(0x7FFFFFFF)
    assert not succeeded(0x80000000)
    assert not succeeded(E_NOINTERFACE)
