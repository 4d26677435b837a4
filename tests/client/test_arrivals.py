"""When clients arrive."""

import itertools
import math

import pytest

from vaultstorm_client.arrivals import constant, poisson, ramped, until


@pytest.mark.parametrize("clients", [0, 1, 2, 1000])
def test_numbers(clients: int) -> None:
    """As many arrive as there are, evenly from 0."""
    assert list(ramped(clients, 2.0)) == pytest.approx([2.0 * n / clients for n in range(clients)])


def test_constant() -> None:
    """A constant rate has equal gaps, beginning at 0."""
    assert list(itertools.islice(constant(4.0), 4)) == [0.0, 0.25, 0.5, 0.75]


@pytest.mark.parametrize("rate, ramp", [(10.0, 4.0), (3.0, 1.0), (100.0, 0.0)])
def test_ramp_integral(rate: float, ramp: float) -> None:
    """The n-th arrival is when the integral of the growing rate reaches n."""
    for number, offset in enumerate(itertools.islice(constant(rate, ramp), 200)):
        if offset < ramp:
            assert rate * offset**2 / (2 * ramp) == pytest.approx(number)
        else:
            assert rate * (offset - ramp / 2) == pytest.approx(number)


@pytest.mark.parametrize("number", [19, 20, 21])
def test_ramp_is_continuous(number: int) -> None:
    """At the end of the ramp the two formulas meet."""
    (offset,) = itertools.islice(constant(10.0, 4.0), number, number + 1)
    assert offset == pytest.approx({19: math.sqrt(15.2), 20: 4.0, 21: 4.1}[number])


@pytest.mark.parametrize("ramp", [0.0, 5.0])
def test_poisson_is_its_seed(ramp: float) -> None:
    """The same seed gives the same arrivals, another one others, in order."""
    first, again, other = (
        list(itertools.islice(poisson(100.0, seed, ramp), 500)) for seed in (1, 1, 2)
    )
    assert first == again != other
    assert first == sorted(first)
    assert first[0] > 0


def test_poisson_statistics() -> None:
    """Gaps are exponential: their mean and their deviation are 1/rate, within 4 sigma."""
    count, rate = 20000, 50.0
    offsets = [0.0, *itertools.islice(poisson(rate, 12345), count)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(offsets)]
    mean = sum(gaps) / count
    deviation = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / count)
    assert mean * rate == pytest.approx(1, abs=4 / math.sqrt(count))
    assert deviation * rate == pytest.approx(1, abs=4 * math.sqrt(2 / count))


@pytest.mark.parametrize(
    "clients, duration, expected",
    [(0, None, 0), (1, None, 1), (5, 1.0, 5), (None, 1.0, 10), (11, 1.0, 10), (10, 1.0001, 10)],
)
def test_until(clients: int | None, duration: float | None, expected: int) -> None:
    """A schedule ends with its clients or its time; an arrival at the very end is not in it."""
    assert len(list(until(constant(10.0), clients, duration))) == expected
