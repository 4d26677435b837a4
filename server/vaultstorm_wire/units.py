"""Durations and sizes as people write them: ``500ms``, ``1.5s``, ``16KiB``."""

import re
from typing import Final

DURATIONS: Final[dict[str, float]] = {
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "min": 60.0,
    "h": 3600.0,
}
"""Seconds in a unit of time."""

SIZES: Final[dict[str, int]] = {
    "B": 1,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
}
"""Bytes in a unit of size."""

_QUANTITY = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([A-Za-zµ]*)\s*")


def duration(text: str, bare: str = "s") -> float:
    """Read a duration as seconds.

    Args:
        text: a number with a unit (``500ms``), or without one.
        bare: the unit that a number without one has.

    Raises:
        ValueError: it is not a duration; the message says what would be.
    """
    return _quantity(text, DURATIONS, bare, "a duration such as 500ms, 2s or 1.5min")


def size(text: str, bare: str = "B") -> int:
    """Read a size as bytes, a part of a byte rounded down.

    Args:
        text: a number with a unit (``16KiB``), or without one.
        bare: the unit that a number without one has.

    Raises:
        ValueError: it is not a size; the message says what would be.
    """
    what = "a size such as 512, 16KiB or 4MB"
    exact = _quantity(text, SIZES, bare, what)
    if exact == float("inf"):
        raise ValueError(f"{text[:32]!r}… is not {what}")
    return int(round(exact, 6))  # 1.001 * 1000 is 1000.9999999999999


def _quantity(text: str, units: dict[str, float] | dict[str, int], bare: str, what: str) -> float:
    match = _QUANTITY.fullmatch(text)
    if match is None or (match[2] or bare) not in units:
        raise ValueError(f"{text!r} is not {what}")
    return float(match[1]) * units[match[2] or bare]
