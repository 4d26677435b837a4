"""Durations and sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultstorm_wire import units


@pytest.mark.parametrize(
    "text, seconds",
    [
        ("0", 0.0),
        ("2", 2.0),
        ("500ms", 0.5),
        ("20 ms", 0.02),
        (" 1.5min ", 90.0),
        ("1.s", 1.0),
        (".5h", 1800.0),
        ("10us", 1e-5),
        ("10µs", 1e-5),
    ],
)
def test_duration_is_seconds(text: str, seconds: float) -> None:
    """A duration is read as seconds, whatever unit it is written in."""
    assert units.duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("bare, seconds", [("s", 3.0), ("min", 180.0), ("ms", 0.003)])
def test_bare_number_has_the_unit_of_its_key(bare: str, seconds: float) -> None:
    """A number without a unit has the one that is documented for it."""
    assert units.duration("3", bare) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text, count",
    [
        ("0", 0),
        ("512", 512),
        ("512B", 512),
        ("16KiB", 16384),
        ("16KB", 16000),
        ("1.5 KiB", 1536),
        ("1.001KB", 1001),
        ("0.0009KB", 0),
        ("4MB", 4_000_000),
        ("2GiB", 2 << 30),
    ],
)
def test_size_is_bytes(text: str, count: int) -> None:
    """A size is read as whole bytes, exactly where it is exact, else rounded down."""
    assert units.size(text) == count


@pytest.mark.parametrize(
    "text",
    ["", " ", "s", "-1s", "1 2s", "1e3s", "1.2.3s", "5 minutes", "5S", "1KiB", "0x10", "nan"],
)
def test_not_a_duration(text: str) -> None:
    """What is not a duration is refused with an example of what is."""
    with pytest.raises(ValueError, match="is not a duration such as 500ms"):
        units.duration(text)


@pytest.mark.parametrize("text", ["", "KiB", "-1", "1kb", "5s", "16 K", "9" * 400])
def test_not_a_size(text: str) -> None:
    """What is not a size is refused with an example of what is."""
    with pytest.raises(ValueError, match="is not a size such as 512, 16KiB"):
        units.size(text)


@given(st.integers(0, 1 << 50), st.sampled_from(sorted(units.SIZES)))
def test_whole_sizes_are_exact(count: int, unit: str) -> None:
    """A whole number of any unit below the precision of a float is not off by one."""
    if count * units.SIZES[unit] < 1 << 53:
        assert units.size(f"{count}{unit}") == count * units.SIZES[unit]


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever is written, the answer is a quantity or a ValueError."""
    for read in (units.duration, units.size):
        said = "is not a"
        try:
            assert read(text) >= 0
        except ValueError as error:
            said = str(error)
        assert "is not a" in said
