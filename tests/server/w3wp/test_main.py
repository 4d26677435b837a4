"""The worker's arguments."""

import pytest

from vaultstorm_server.w3wp.__main__ import parse
from vaultstorm_server.w3wp.worker import Options
from vaultstorm_wire.errors import UsageError


def test_the_arguments_are_the_options() -> None:
    """Each pair is a field; numbers are read as numbers."""
    words = ["--channel", "5", "--journal", "/j", "--max-blocks", "7", "--frame-max", "9"]
    assert parse(words) == Options(channel=5, journal="/j", max_blocks=7, frame_max=9)


@pytest.mark.parametrize(
    "words", ["", "--channel", "--channel x", "--channel 5 --journal j --max-blocks 7 --other 1"]
)
def test_other_arguments_are_wrong_usage(words: str) -> None:
    """Missing, odd, ill-typed and unknown arguments are a UsageError, not a traceback."""
    with pytest.raises(UsageError, match="started by the server only"):
        parse(words.split())
