"""What may become of a block on the disk, and what may be left beside it."""

import os
from pathlib import Path


def flipped(path: Path) -> None:
    """Change one bit."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    """Take the last byte away."""
    os.truncate(path, path.stat().st_size - 1)


def emptied(path: Path) -> None:
    """Take all bytes away."""
    os.truncate(path, 0)


def longer(path: Path) -> None:
    """Add a byte."""
    with path.open("ab") as file:
        file.write(b"\0")


DAMAGE = {"flipped": flipped, "cut": cut, "emptied": emptied, "longer": longer}


def unfinished(store: Path) -> list[Path]:
    """Give the files in a store's tmp."""
    return [path for path in (store / "tmp").rglob("*") if path.is_file()]
