"""The recording: whole, of one address, and readable."""

import socket
import struct
from pathlib import Path

from tests.support.pcap import recorded

ADDRESS = "127.90.0.1"


def test_every_packet_of_the_address_is_in_the_file(tmp_path: Path) -> None:
    """A datagram to it is there once, one to another address is not."""
    path = tmp_path / "a.pcap"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind((ADDRESS, 0))
        port = receiver.getsockname()[1]
        with recorded(ADDRESS, path), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"one of ours", (ADDRESS, port))
            sender.sendto(b"another's", ("127.90.0.2", 9))

    data = path.read_bytes()
    magic, _, _, _, _, _, link = struct.unpack_from("=IHHiIII", data)
    _, _, kept, length = struct.unpack_from("=IIII", data, 24)
    assert (magic, link) == (0xA1B2C3D4, 101)
    assert kept == length == len(data) - 24 - 16
    assert data.endswith(b"one of ours")
