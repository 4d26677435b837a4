"""The errors of the protocol."""

import pytest

from vaultstorm_wire.dcerpc.errors import LocalProtocolError, ProtocolError, RemoteProtocolError


def test_both_sides_faults_have_one_base() -> None:
    """Who does not care whose fault it is catches one error."""
    assert issubclass(LocalProtocolError, ProtocolError)
    assert issubclass(RemoteProtocolError, ProtocolError)


def test_a_remote_error_says_what_to_answer() -> None:
    """It carries the fault's status and the bytes to send before closing, if there are any."""
    with pytest.raises(RemoteProtocolError, match="why") as caught:
        raise RemoteProtocolError("why", status=5, answer=b"pdu")
    assert (caught.value.status, caught.value.answer) == (5, b"pdu")
    bare = RemoteProtocolError("why")
    assert (bare.status, bare.answer) == (None, None)
