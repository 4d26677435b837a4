"""Imports without what an import drags along and nobody uses: the start is short by it."""

import contextlib
import sys
from collections.abc import Iterator


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
