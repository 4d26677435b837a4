"""What the commands that connect have in common."""

import pytest

from tests.support.command import vaultstorm


@pytest.mark.parametrize("command", ["burst", "probe"])
def test_trust_is_one_group_of_the_help(command: str) -> None:
    """The options that say whom to trust stand together, under the same heading."""
    _, _, group = vaultstorm(command, "--help").stdout.partition(
        "\nWhom to aim at, and to trust:\n"
    )
    assert [line.split()[0] for line in group.split("\n\n")[0].splitlines()] == [
        "--ca",
        "--insecure",
        "--allow-remote",
    ]
