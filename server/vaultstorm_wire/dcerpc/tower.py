"""Protocol towers (C706 appendix I and L): an interface and all the protocols below it."""

import struct
from typing import Final, NamedTuple

from vaultstorm_wire.dcerpc.ndr import NdrError
from vaultstorm_wire.dcerpc.syntax import NDR, Syntax

# C706 appendix I: what a floor's left hand side begins with
PROTOCOL_UUID: Final = 0x0D
PROTOCOL_CONNECTION_ORIENTED: Final = 0x0B
PROTOCOL_TCP: Final = 0x07
PROTOCOL_IP: Final = 0x09

TOWER_MAX: Final = 2000
"""Bytes of a tower; one of ncacn_ip_tcp has 75."""

_COUNT = struct.Struct("<H")
_SYNTAX = struct.Struct("<B16sH")
_PORT = struct.Struct(">H")
_TCP_FLOORS = 5


class Floor(NamedTuple):
    """One floor of a tower: what the protocol is, and what it needs to know."""

    lhs: bytes
    rhs: bytes


class Tower(NamedTuple):
    """A protocol tower: where an interface is served, or how it could be."""

    floors: tuple[Floor, ...]

    @classmethod
    def tcp(cls, interface: Syntax, port: int, address: str) -> "Tower":
        """Build the tower of an interface over ncacn_ip_tcp, in NDR.

        Raises:
            ValueError: the address is no IPv4 address.
        """
        octets = [int(octet) for octet in address.split(".")]
        if len(octets) != 4:
            raise ValueError(f"{address!r} is no IPv4 address")
        return cls(
            (
                _floor_of(interface),
                _floor_of(NDR),
                Floor(bytes([PROTOCOL_CONNECTION_ORIENTED]), bytes(2)),
                Floor(bytes([PROTOCOL_TCP]), _PORT.pack(port)),
                Floor(bytes([PROTOCOL_IP]), bytes(octets)),
            )
        )

    @property
    def interface(self) -> Syntax | None:
        """What is served; None if the first floor does not say."""
        return self._syntax(0)

    @property
    def transfer(self) -> Syntax | None:
        """The transfer syntax it is served in; None if the second floor does not say."""
        return self._syntax(1)

    @property
    def port(self) -> int | None:
        """Its TCP port; None if it is no tower of ncacn_ip_tcp."""
        rhs = self._protocol(3, PROTOCOL_TCP)
        return None if rhs is None or len(rhs) != 2 else int(_PORT.unpack(rhs)[0])

    @property
    def address(self) -> str | None:
        """Its IPv4 address; None if it has none."""
        rhs = self._protocol(4, PROTOCOL_IP)
        return None if rhs is None or len(rhs) != 4 else ".".join(map(str, rhs))

    def encode(self) -> bytes:
        """Give the octet string: little endian in whatever stub it stands."""
        parts = [_COUNT.pack(len(self.floors))]
        for lhs, rhs in self.floors:
            parts += (_COUNT.pack(len(lhs)), lhs, _COUNT.pack(len(rhs)), rhs)
        return b"".join(parts)

    @classmethod
    def decode(cls, octets: bytes) -> "Tower":
        """Read an octet string.

        Raises:
            NdrError: it is cut off.
        """
        taken = 0

        def take(length: int) -> bytes:
            nonlocal taken
            if taken + length > len(octets):
                raise NdrError(f"{length} bytes at {taken} of a tower of {len(octets)}")
            taken += length
            return octets[taken - length : taken]

        def side() -> bytes:
            return take(int.from_bytes(take(2), "little"))

        count = int.from_bytes(take(2), "little")
        return cls(tuple([Floor(side(), side()) for _ in range(count)]))

    def _syntax(self, index: int) -> Syntax | None:
        if index >= len(self.floors):
            return None
        lhs, rhs = self.floors[index]
        if len(lhs) != _SYNTAX.size or lhs[0] != PROTOCOL_UUID or len(rhs) < 2:
            return None
        _, guid, major = _SYNTAX.unpack(lhs)
        return Syntax(guid, major, int.from_bytes(rhs[:2], "little"))

    def _protocol(self, index: int, protocol: int) -> bytes | None:
        if len(self.floors) < _TCP_FLOORS:
            return None
        lhs, rhs = self.floors[index]
        return rhs if lhs == bytes([protocol]) else None


def _floor_of(syntax: Syntax) -> Floor:
    lhs = _SYNTAX.pack(PROTOCOL_UUID, syntax.guid, syntax.major)
    return Floor(lhs, _COUNT.pack(syntax.minor))
