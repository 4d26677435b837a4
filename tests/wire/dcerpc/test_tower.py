"""Protocol towers: impacket's own against ours, what is asked of them, and what is cut off."""

import socket
import struct

import pytest
from impacket.dcerpc.v5 import epm

from tests.support.stubs import TOWER, refuses_every_cut
from vaultstorm_wire.dcerpc.demonstration import IDEMONSTRATION
from vaultstorm_wire.dcerpc.ndr import NdrError
from vaultstorm_wire.dcerpc.syntax import NDR, Syntax, guid_of
from vaultstorm_wire.dcerpc.tower import Floor, Tower

NAMED_PIPE = 0x0F


def _by_impacket() -> bytes:
    interface = epm.EPMRPCInterface()
    interface["InterfaceUUID"] = IDEMONSTRATION.guid
    interface["MajorVersion"], interface["MinorVersion"] = 0, 0
    transfer = epm.EPMRPCDataRepresentation()
    transfer["DataRepUuid"] = NDR.guid
    transfer["MajorVersion"], transfer["MinorVersion"] = 2, 0
    protocol = epm.EPMProtocolIdentifier()
    protocol["ProtIdentifier"] = epm.FLOOR_RPCV5_IDENTIFIER
    port = epm.EPMPortAddr()
    port["IpPort"] = 5000
    address = epm.EPMHostAddr()
    address["Ip4addr"] = socket.inet_aton("127.0.0.1")
    tower = epm.EPMTower()
    tower["NumberOfFloors"] = 5
    floors = (interface, transfer, protocol, port, address)
    tower["Floors"] = b"".join(floor.getData() for floor in floors)
    return bytes(tower.getData())


def test_the_tower_is_the_one_impacket_builds() -> None:
    """Byte for byte, and 75 of them."""
    assert TOWER.encode() == _by_impacket()
    assert len(TOWER.encode()) == 75
    assert Tower.decode(_by_impacket()) == TOWER


def test_a_tower_says_what_it_is_for() -> None:
    """Interface, transfer syntax, port and address are read off the floors."""
    tower = Tower.tcp(
        Syntax(guid_of("e1af8308-5d1f-11c9-91a4-08002b14a0fa"), 3, 1), 135, "10.0.0.9"
    )
    assert str(tower.interface) == "e1af8308-5d1f-11c9-91a4-08002b14a0fa v3.1"
    assert tower.transfer == NDR
    assert (tower.port, tower.address) == (135, "10.0.0.9")


@pytest.mark.parametrize("port", [0, 1, 65535])
def test_any_port_stands_in_network_order(port: int) -> None:
    """The port is the one big-endian number of a tower."""
    tower = Tower.tcp(NDR, port, "0.0.0.0")
    assert struct.pack(">H", port) == tower.floors[3].rhs
    assert Tower.decode(tower.encode()).port == port


def test_a_tower_of_another_protocol_has_no_port() -> None:
    """A named pipe's tower is read, but is nowhere in TCP."""
    pipe = Tower(
        (*TOWER.floors[:3], Floor(bytes([NAMED_PIPE]), b"\\pipe\\epmapper\0"), Floor(b"", b""))
    )
    decoded = Tower.decode(pipe.encode())
    assert decoded == pipe
    assert decoded.interface == IDEMONSTRATION
    assert (decoded.port, decoded.address) == (None, None)


def test_what_a_floor_does_not_say_is_unknown() -> None:
    """Missing floors and floors of the wrong length say nothing, and raise nothing."""
    for floors in ((), TOWER.floors[:1], (Floor(b"\x0d", b""), Floor(b"", b""))):
        tower = Tower(floors)
        assert Tower.decode(tower.encode()) == tower
        assert tower.transfer is None
        assert tower.port is None
    five = (Floor(b"", b""),) * 3
    assert Tower((*five, Floor(b"\x07", b"\x01"), Floor(b"\x09", b"abc"))).port is None
    assert Tower((*five, Floor(b"\x07", b"\x01"), Floor(b"\x09", b"abc"))).address is None


def test_an_address_has_four_octets() -> None:
    """Nothing else can stand in the fifth floor."""
    for address in ("localhost", "1.2.3", "1.2.3.4.5", "1.2.3.256", "::1"):
        with pytest.raises(ValueError, match=r"IPv4|invalid literal|range"):
            Tower.tcp(NDR, 135, address)


def test_a_tower_that_is_cut_off_is_refused() -> None:
    """Whatever byte it ends before, it is an NdrError."""
    refuses_every_cut(Tower.decode, TOWER.encode())


def test_more_floors_than_there_can_be_are_refused() -> None:
    """A count of 65,535 floors ends with the bytes, not with the count."""
    with pytest.raises(NdrError):
        Tower.decode(b"\xff\xff" + bytes(1000))
