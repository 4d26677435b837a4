"""The scenarios and registry exports that ship: files beside this one, known by name."""

from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

SUFFIX: Final = ".toml"
REGISTRY_SUFFIX: Final = ".reg"
SHOWN: Final = (
    "backlog-burst",
    "dcom-burst",
    "pool-failures",
    "recycle-keepalive",
    "vault-reentrance",
)
"""Those that show our own server broken and fixed: `make demo` runs them."""


def names() -> list[str]:
    """Name all scenarios, in alphabetical order."""
    return _stems(SUFFIX)


def find(name: str) -> Traversable | None:
    """Find a scenario's file; None if there is none of that name."""
    return resources.files(__name__) / f"{name}{SUFFIX}" if name in names() else None


def registry_names() -> list[str]:
    """Name all registry exports, in alphabetical order."""
    return _stems(REGISTRY_SUFFIX)


def find_registry(name: str) -> Traversable | None:
    """Find a registry export's file by its name in either case; None if there is none."""
    stem = name.lower()
    known = stem in registry_names()
    return resources.files(__name__) / f"{stem}{REGISTRY_SUFFIX}" if known else None


def _stems(suffix: str) -> list[str]:
    return sorted(
        file.name.removesuffix(suffix)
        for file in resources.files(__name__).iterdir()
        if file.name.endswith(suffix)
    )
