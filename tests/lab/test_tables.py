"""Tables of a scenario file: what is wrong is named."""

from typing import Any

import msgspec
import pytest

from vaultstorm.tables import convert, duration, only, size
from vaultstorm_wire.errors import UsageError


class Thing(msgspec.Struct):
    """Something with a name and a number."""

    name: str
    number: int = 0


def test_a_table_becomes_a_struct() -> None:
    """Defaults are filled in."""
    assert convert({"name": "x"}, Thing, "here") == Thing("x", 0)


@pytest.mark.parametrize(
    "table, said",
    [
        ({}, "here: name is missing"),
        ({"name": 1}, "here: name: expected `str`, got `int`"),
        ({"name": "x", "number": "y"}, "here: number: expected `int`, got `str`"),
        ({"name": "x", "numbr": 1}, "here: there is no key numbr; did you mean number?"),
        ({"name": "x", "zzz": 1}, "here: there is no key zzz; there are name, number"),
        ([], "here: has to be a table"),
    ],
)
def test_what_is_wrong_is_named(table: Any, said: str) -> None:
    """Place, key, and what would be right."""
    with pytest.raises(UsageError) as caught:
        convert(table, Thing, "here")
    assert str(caught.value) == said


def test_known_keys_pass() -> None:
    """Nothing is said of them."""
    only({"a": 1}, ("a", "b"), "here")


@pytest.mark.parametrize("value, seconds", [("500ms", 0.5), ("2", 2.0), (3, 3.0), (0.25, 0.25)])
def test_durations(value: Any, seconds: float) -> None:
    """A text has a unit, a number is seconds."""
    assert duration(value, "here") == seconds


@pytest.mark.parametrize("value, count", [("16KiB", 16384), ("7", 7), (0, 0)])
def test_sizes(value: Any, count: int) -> None:
    """A text has a unit, a number is bytes."""
    assert size(value, "here") == count


@pytest.mark.parametrize("value", ["soon", "-1s", -1, True, None, [], float("nan")])
def test_what_is_neither(value: Any) -> None:
    """Both say what would be right."""
    with pytest.raises(UsageError, match=r"^here = .* is not a duration such as 500ms"):
        duration(value, "here")
    with pytest.raises(UsageError, match=r"^here = .* is not a size such as 512"):
        size(value, "here")
