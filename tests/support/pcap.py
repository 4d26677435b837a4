"""All that goes to and from one loopback address, in a file that Wireshark reads."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

_ETH_P_IP: Final = 0x0800
_SNAP: Final = 0x40000
_LINKTYPE_RAW: Final = 101  # begins with the IP head (tcpdump.org/linktypes.html)
_HEADER: Final = struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, _SNAP, _LINKTYPE_RAW)
_MARKER: Final = b"vaultstorm: the end of a recording"
_PATIENCE: Final = 30.0


@contextlib.contextmanager
def recorded(address: str, path: Path) -> Iterator[None]:
    """Write every IPv4 packet of the block from or to `address` to a pcap file.

    Args:
        address: of 127.0.0.0/8, and nobody else's.
        path: of the file; whole after the block.
    """
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_IP))
    except PermissionError as error:
        pytest.skip(f"this user may not capture packets (CAP_NET_RAW): {error}")
    with sock, path.open("wb") as file:
        sock.bind(("lo", _ETH_P_IP))
        sock.settimeout(_PATIENCE)
        file.write(_HEADER)
        wanted = socket.inet_aton(address)
        ended = threading.Event()

        def collect() -> None:
            while True:
                data, where = sock.recvfrom(_SNAP)
                if where[2] == socket.PACKET_OUTGOING or wanted not in (data[12:16], data[16:20]):
                    continue
                if data.endswith(_MARKER):
                    ended.set()
                    return
                seconds, fraction = divmod(time.time(), 1)
                file.write(
                    struct.pack("=IIII", int(seconds), int(fraction * 1e6), len(data), len(data))
                )
                file.write(data)

        thread = threading.Thread(target=collect, name="pcap", daemon=True)
        thread.start()
        yield
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as marker:
            marker.sendto(_MARKER, (address, 9))
        thread.join(_PATIENCE)
        assert ended.is_set(), "the recording did not come to its end"
