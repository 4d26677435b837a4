"""What is written on a setting is what is checked and shown."""

from typing import Annotated

import msgspec
import pytest

from vaultstorm_server.annotations import Switch, seconds, size


class Some(msgspec.Struct):
    """A setting of each kind."""

    Wait: Annotated[float, seconds(0, 60, "a wait", "min")] = 0.0
    Room: Annotated[int, size(1, 2048, "a room", "KiB")] = 1
    On: Switch = 0


@pytest.mark.parametrize("given", [{"Wait": 60}, {"Room": 2048}, {"Room": 1}, {"On": 1}])
def test_both_ends_of_a_range_are_allowed(given: dict[str, int]) -> None:
    """They are seconds, bytes and counts inside, whatever a bare number is."""
    assert msgspec.to_builtins(msgspec.convert(given, Some)).items() >= given.items()


@pytest.mark.parametrize("given", [{"Wait": 60.1}, {"Room": 2049}, {"Room": 0}, {"On": 2}])
def test_one_beyond_is_refused(given: dict[str, float]) -> None:
    """By the type itself."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, Some)


def test_the_unit_is_kept_for_the_reader() -> None:
    """With the description."""
    info = msgspec.inspect.type_info(Some)
    assert isinstance(info, msgspec.inspect.StructType)
    wait, room, _ = (field.type for field in info.fields)
    assert isinstance(wait, msgspec.inspect.Metadata)
    assert isinstance(room, msgspec.inspect.Metadata)
    assert (wait.extra, room.extra) == ({"duration": "min"}, {"size": "KiB"})
    assert wait.extra_json_schema == {"description": "a wait"}
