"""Imports without what an import drags along and nobody uses: the start is short by it."""

import contextlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any


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

    For packages whose ``__init__`` gathers all of them. It runs once something is asked for that
    the package has only by it, in the block or after it. If it has run before, so it stays.
    """
    from importlib import import_module
    from importlib.util import find_spec, module_from_spec
    from threading import RLock

    spec = None if package in sys.modules else find_spec(package)
    if spec is None or spec.loader is None:
        yield import_module(package)
        return
    module, run, lock = module_from_spec(spec), [spec.loader.exec_module], RLock()

    def own(name: str) -> Any:
        with lock:  # who comes while another thread runs it has to wait, as for any import
            if run:
                run.pop()(module)
            if name in vars(module):
                return vars(module)[name]
        raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=module)

    vars(module)["__getattr__"] = own  # PEP 562
    sys.modules[package] = module
    yield module
