"""The scenarios that ship: TOML files beside this one, known by name."""

from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

SUFFIX: Final = ".toml"


def names() -> list[str]:
    """Name all scenarios, in alphabetical order."""
    return sorted(
        file.name.removesuffix(SUFFIX)
        for file in resources.files(__name__).iterdir()
        if file.name.endswith(SUFFIX)
    )


def find(name: str) -> Traversable | None:
    """Find a scenario's file; None if there is none of that name."""
    return resources.files(__name__) / f"{name}{SUFFIX}" if name in names() else None
