"""The management interface: impacket's structures against our stubs, and empty answers."""

import struct

import pytest
from impacket.dcerpc.v5 import mgmt as impacket_mgmt

from tests.support.impacket_client import Overheard
from vaultstorm_wire.dcerpc.epm import EPM
from vaultstorm_wire.dcerpc.mgmt import (
    INQ_IF_IDS,
    INQ_PRINC_NAME,
    INQ_STATS,
    IS_SERVER_LISTENING,
    MGMT,
    STOP_SERVER_LISTENING,
    InqIfIdsOut,
    InqPrincNameIn,
    InqPrincNameOut,
    InqStatsIn,
    InqStatsOut,
    IsServerListeningOut,
    StopServerListeningOut,
)
from vaultstorm_wire.dcerpc.ndr import NdrError


def test_impacket_lists_the_interfaces() -> None:
    """Its hinq_if_ids asks with nothing, and finds every interface with its version."""
    dce = Overheard(lambda _: InqIfIdsOut((MGMT, EPM), 0).encode())
    vector = impacket_mgmt.hinq_if_ids(dce)["if_id_vector"]
    assert (dce.opnum, dce.stub) == (INQ_IF_IDS, b"")
    assert vector["count"] == 2
    found = [item["Data"] for item in vector["if_id"]]
    assert [item["Uuid"] for item in found] == [MGMT.guid, EPM.guid]
    assert [(item["VersMajor"], item["VersMinor"]) for item in found] == [(1, 0), (3, 0)]


def test_no_interfaces_are_a_null_pointer() -> None:
    """There is no vector where there is nothing to list."""
    assert InqIfIdsOut((), 5).encode() == struct.pack("<II", 0, 5)
    assert InqIfIdsOut.decode(struct.pack("<II", 0, 5)) == InqIfIdsOut((), 5)


def test_a_vector_may_have_null_and_repeated_pointers() -> None:
    """They are full pointers: null ones are passed over, and one may stand for another."""
    identifier = MGMT.guid + struct.pack("<HH", 1, 0)
    stub = struct.pack("<7I", 1, 3, 3, 2, 0, 2, 0)[:24] + identifier + bytes(4)
    assert InqIfIdsOut.decode(stub) == InqIfIdsOut((MGMT, MGMT), 0)


def test_impacket_asks_for_counters() -> None:
    """As many as it asked for come back, with their count."""
    dce = Overheard(lambda _: InqStatsOut((1, 2, 3), 0).encode())
    answer = impacket_mgmt.hinq_stats(dce, 3)
    assert dce.opnum == INQ_STATS
    assert InqStatsIn.decode(dce.stub) == InqStatsIn(3)
    assert answer["count"] == 3
    assert list(answer["statistics"]) == [1, 2, 3]


def test_impacket_asks_whether_the_server_listens() -> None:
    """The status comes before the answer."""
    stub = IsServerListeningOut(0x16, True).encode()
    assert stub == struct.pack("<II", 0x16, 1)
    assert impacket_mgmt.is_server_listeningResponse(stub)["status"] == 0x16
    dce = Overheard(lambda _: StopServerListeningOut(0).encode())
    impacket_mgmt.hstop_server_listening(dce)
    assert (dce.opnum, dce.stub) == (STOP_SERVER_LISTENING, b"")
    assert impacket_mgmt.is_server_listening.opnum == IS_SERVER_LISTENING


def test_impacket_asks_for_a_principal_name() -> None:
    """The name comes with its terminator, in an array of the size that was asked for."""
    dce = Overheard(lambda _: InqPrincNameOut("vault", 0, 64).encode())
    answer = impacket_mgmt.hinq_princ_name(dce, authn_proto=10, princ_name_size=64)
    assert dce.opnum == INQ_PRINC_NAME
    assert InqPrincNameIn.decode(dce.stub) == InqPrincNameIn(10, 64)
    assert b"".join(answer["princ_name"]) == b"vault\0"


@pytest.mark.parametrize("size", [0, 1, 2, 5, 6, 7])
def test_a_name_is_cut_off_where_there_is_no_room(size: int) -> None:
    """The terminator is always there, and the name as far as it fits."""
    decoded = InqPrincNameOut.decode(InqPrincNameOut("vault", 9, size).encode())
    assert decoded == InqPrincNameOut("vault"[: max(size - 1, 0)], 9, max(size, 1))


def test_a_vector_has_as_many_as_it_says() -> None:
    """A vector's size before it and the count in it are the same."""
    with pytest.raises(NdrError, match="an array of 2, declared as 1"):
        InqIfIdsOut.decode(struct.pack("<6I", 1, 2, 1, 2, 0, 0))
    with pytest.raises(NdrError, match="an array of 1, declared as 2"):
        InqStatsOut.decode(struct.pack("<IIII", 2, 1, 7, 0))
