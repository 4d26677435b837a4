"""Errors and the version."""

import pytest

from vaultstorm_wire.errors import MachineError, UsageError, VaultstormError
from vaultstorm_wire.version import __version__


@pytest.mark.parametrize("error, code", [(VaultstormError, 4), (UsageError, 2), (MachineError, 3)])
def test_exit_codes(error: type[VaultstormError], code: int) -> None:
    """Each error knows the exit code of the command that it ends."""
    assert error("why").exit_code == code
    assert isinstance(error("why"), VaultstormError)


def test_version() -> None:
    """The version has three numbers."""
    assert [part.isdigit() for part in __version__.split(".")] == [True] * 3
