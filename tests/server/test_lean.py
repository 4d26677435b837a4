"""Imports without what they drag along, each case in a process of its own."""

import subprocess
import sys

from tests.support.command import environment


def run(code: str) -> str:
    """Run Python code, and give what it prints."""
    ended = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, env=environment(), text=True
    )
    return ended.stdout


def test_what_is_named_cannot_be_imported_in_the_block_and_can_be_after_it() -> None:
    """A module that does without another one where it is missing does so."""
    code = """
import sys
from vaultstorm_server.lean import without
with without("colorsys", "no_such_module"):
    try:
        import colorsys
    except ImportError as error:
        print(error)
import colorsys
print(colorsys.__name__, "no_such_module" in sys.modules)
"""
    assert run(code).splitlines() == [
        "import of colorsys halted; None in sys.modules",
        "colorsys False",
    ]


def test_what_was_imported_before_stays() -> None:
    """The block takes nothing away from those who have it."""
    code = """
import colorsys
from vaultstorm_server.lean import without
try:
    with without("colorsys"):
        import colorsys as again
        assert again is colorsys
        raise KeyError
except KeyError:
    import colorsys as afterwards
    print(afterwards is colorsys)
"""
    assert run(code) == "True\n"
