"""Imports without what they drag along, each case in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.fixture
def lamp(tmp_path: Path) -> str:
    """Give code that finds a package, whose ``__init__`` gathers its two modules."""
    folder = tmp_path / "lamp"
    folder.mkdir()
    (folder / "__init__.py").write_text("from lamp import light; from lamp.heavy import LEAD")
    (folder / "heavy.py").write_text("import time; time.sleep(0.01); LEAD = 82")
    (folder / "light.py").write_text("")
    return f"""
import sys
from vaultstorm_server.lean import bare
sys.path.insert(0, {str(tmp_path)!r})
"""


def test_a_package_is_bare_until_something_of_its_own_is_asked_for(lamp: str) -> None:
    """Its modules are its attributes, as ever; what only its ``__init__`` imports comes last."""
    code = f"""{lamp}
with bare("lamp") as package:
    import lamp.light
print(lamp is package, lamp.light.__name__, "lamp.heavy" in sys.modules)
print(lamp.LEAD, lamp is package, lamp.light.__name__)
print(hasattr(lamp, "nothing"))
"""
    assert run(code).splitlines() == ["True lamp.light False", "82 True lamp.light", "False"]


def test_a_bare_package_gives_what_is_asked_of_it_in_the_block(lamp: str) -> None:
    """A module that takes something from the package itself can be imported."""
    code = f"""{lamp}
with bare("lamp"):
    from lamp import LEAD
print(LEAD)
"""
    assert run(code) == "82\n"


def test_all_threads_find_a_bare_package_whole(lamp: str) -> None:
    """Whichever comes first runs its ``__init__``; the others wait for that."""
    code = f"""{lamp}
from concurrent.futures import ThreadPoolExecutor
with bare("lamp") as package:
    pass
with ThreadPoolExecutor(8) as pool:
    print(sum(pool.map(lambda _: package.LEAD, range(8))))
"""
    assert run(code) == f"{8 * 82}\n"


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
