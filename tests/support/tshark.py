"""Wireshark's dissectors, as a second opinion on what our two sides say to each other."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

MISSING: Final = "there is no tshark here: `make tools` installs Debian's, as root"

FAULTY: Final = (
    "_ws.malformed || _ws.short || _ws.unreassembled || dcerpc.fragment.error || dcerpc.long_frame"
)
"""What the dissectors say of a packet that is not as it should be."""

_PATIENCE: Final = 120.0


def require_tshark() -> None:
    """Skip a test where tshark is missing."""
    if shutil.which("tshark") is None:
        pytest.skip(MISSING)


def dissected(path: Path, rpc_ports: Sequence[int], wanted: str, field: str) -> list[str]:
    """Give a field of every packet that a display filter lets through.

    Args:
        path: of the pcap file.
        rpc_ports: TCP ports that carry DCE/RPC; tshark knows 135 alone by itself.
        wanted: the display filter.
        field: such as ``_ws.col.Info``.
    """
    command = ["tshark", "-n", "-r", str(path), "-Y", wanted, "-T", "fields", "-e", field]
    for port in rpc_ports:
        command += ["-d", f"tcp.port=={port},dcerpc"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()
