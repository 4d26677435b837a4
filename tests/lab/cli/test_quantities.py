"""Durations and sizes as options."""

import pytest
import typer

from vaultstorm.cli.quantities import duration, size


def test_a_default_is_taken_as_it_is() -> None:
    """A default is in seconds or bytes already."""
    assert duration(0.25) == 0.25
    assert size(7) == 7


def test_texts_are_read_with_their_unit() -> None:
    """What a person writes has a unit, or is in seconds and bytes."""
    assert duration("250ms") == 0.25
    assert duration("2") == 2.0
    assert size("16KiB") == 16384


@pytest.mark.parametrize("text", ["", "x", "-1", "1 fortnight"])
def test_anything_else_is_an_error(text: str) -> None:
    """The message says what would be right."""
    with pytest.raises(typer.BadParameter, match="is not a duration such as"):
        duration(text)
    with pytest.raises(typer.BadParameter, match="is not a size such as"):
        size(text)
