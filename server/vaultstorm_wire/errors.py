"""Errors that a person meets, each with the exit code of the command that ends by it."""


class VaultstormError(Exception):
    """Anything that ends a command with a sentence instead of a traceback.

    You do not get one for a bug of ours: that is any other exception, and exit code 4.
    """

    exit_code = 4


class UsageError(VaultstormError):
    """What was asked for is wrong: says what, where, and what would be right."""

    exit_code = 2


class MachineError(VaultstormError):
    """The machine will not do it (port taken, too few descriptors): says the ways out."""

    exit_code = 3
