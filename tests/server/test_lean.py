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


def test_a_package_is_bare_in_the_block_and_whole_after_it() -> None:
    """Its modules are the same ones; what only its ``__init__`` imports is not there before."""
    code = """
import sys
from vaultstorm_server.lean import bare
with bare("xml.dom") as package:
    from xml.dom import minicompat
    print(package.__name__, hasattr(package, "Node"), "xml.dom.domreg" in sys.modules)
import xml.dom
print(hasattr(xml.dom, "Node"), sys.modules["xml.dom.minicompat"] is minicompat)
"""
    assert run(code).splitlines() == ["xml.dom False False", "True True"]


def test_a_package_that_was_imported_before_is_not_bare() -> None:
    """The block gives it as it is, and leaves it."""
    code = """
import xml.dom
from vaultstorm_server.lean import bare
with bare("xml.dom") as package:
    print(package is xml.dom)
import sys
print(sys.modules["xml.dom"] is xml.dom)
"""
    assert run(code) == "True\nTrue\n"


def test_what_is_no_package_is_imported_as_ever() -> None:
    """A module is given whole, and one that does not exist is the error it always is."""
    code = """
from vaultstorm_server.lean import bare
with bare("colorsys") as module:
    print(hasattr(module, "rgb_to_hsv"))
try:
    with bare("no_such_module"):
        pass
except ModuleNotFoundError as error:
    print(error)
"""
    assert run(code).splitlines() == ["True", "No module named 'no_such_module'"]
