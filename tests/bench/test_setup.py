"""The sizes of a run."""

from pathlib import Path

import pytest

from bench.certificate import Certificate
from bench.setup import Setup


@pytest.mark.parametrize(
    "quick, most, expected",
    [
        (False, None, (1000, 10_000, 30_000)),
        (False, 30_000, (1000, 10_000, 30_000)),
        (False, 18_000, (1000, 10_000, 18_000)),
        (False, 9000, (1000, 10_000, 10_000)),
        (True, None, (1, 9, 27)),
    ],
)
def test_sizes_are_a_tenth_the_whole_and_three_times(
    quick: bool, most: int | None, expected: tuple[int, int, int]
) -> None:
    """None is less than one, and only the largest is cut to what the machine allows."""
    here = Path()
    setup = Setup(here, Certificate(here, here, here), quick)

    assert setup.sizes(10_000, 9, most) == expected
