"""Sizes and weights, as they are written."""

import pytest

from vaultstorm_client.agent.sizes import DEFAULT, SIZE_MAX, parse


@pytest.mark.parametrize(
    "text, sizes, up_to",
    [
        ("1", (1,), (1,)),
        (" 4KiB * 12 , 16KiB*3,64KiB", (4096, 16384, 65536), (12, 15, 16)),
        ("1B*999999", (1,), (999999,)),
        (f"{SIZE_MAX}", (SIZE_MAX,), (1,)),
        ("2,2*2", (2, 2), (1, 3)),
    ],
)
def test_good(text: str, sizes: tuple[int, ...], up_to: tuple[int, ...]) -> None:
    """Each size has its weight, 1 if none is written."""
    assert parse(text) == (sizes, up_to)


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "is not a size"),
        ("4KiB,", "is not a size"),
        ("big", "is not a size"),
        ("*3", "is not a size"),
        ("0", "between 1 byte and 16MiB"),
        ("0.5", "between 1 byte and 16MiB"),
        (f"{SIZE_MAX + 1}", "between 1 byte and 16MiB"),
        ("4KiB*", "a weight is"),
        ("4KiB*0", "a weight is"),
        ("4KiB*-1", "a weight is"),
        ("4KiB*1.5", "a weight is"),
        ("4KiB*1*1", "a weight is"),
        ("4KiB*1000000", "a weight is"),
        ("4KiB*³", "a weight is"),
    ],
)
def test_bad(text: str, said: str) -> None:
    """What is no distribution is told with what would be one."""
    with pytest.raises(ValueError, match=said):
        parse(text)


def test_every_number_has_its_share() -> None:
    """Of as many numbers as the weights add up to, each size gets its weight."""
    sizes = parse(DEFAULT)
    drawn = [sizes.at(number) for number in range(16, 32)]
    assert (drawn.count(4096), drawn.count(16384), drawn.count(65536)) == (12, 3, 1)
