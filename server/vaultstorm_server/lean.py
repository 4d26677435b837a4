"""Imports without what an import drags along and nobody uses: the start is short by it."""

import contextlib
import sys
from collections.abc import Iterator
from types import ModuleType


@contextlib.contextmanager
def without(*names: str) -> Iterator[None]:
    """Let modules be imported in the block as if those of these names were not installed.

    For libraries that take them where they are there and do without them where they are not. What
    has been imported before stays; after the block all can be imported.
    """
    absent = [name for name in names if name not in sys.modules]
    # None has an import raise ModuleNotFoundError (Python reference, 5.3.1)
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


@contextlib.contextmanager
def bare(package: str) -> Iterator[ModuleType]:
    """Let modules of a package be imported in the block without what its ``__init__`` imports.

    For packages whose ``__init__`` gathers all of them. If it has been imported before, it stays as
    it is; after the block it can be imported whole, and has what was imported in the block.
    """
    from importlib import import_module
    from importlib.util import find_spec

    spec = None if package in sys.modules else find_spec(package)
    if spec is None or spec.submodule_search_locations is None:
        yield import_module(package)
        return
    module = ModuleType(package)
    module.__path__ = spec.submodule_search_locations
    sys.modules[package] = module
    try:
        yield module
    finally:
        del sys.modules[package]
