"""Holds the layout to its word: sizes and mirrors (a wheel: system/test_wheel.py)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "vaultstorm_wire": "server",
    "vaultstorm_server": "server",
    "vaultstorm_client": "client",
    "vaultstorm": "scenarios",
}
TESTS = {
    "vaultstorm_wire": "wire",
    "vaultstorm_server": "server",
    "vaultstorm_client": "client",
    "vaultstorm": "lab",
}
FILE_LINES_MAX = 320
FUNCTION_LINES_MAX = 60
OPTIONS_MAX = {"serve", "burst"}  # a command is as long as its options are many
ELSEWHERE = {
    "server/vaultstorm_server/afd/base.py",  # abstract: through test_reset, test_refuse, test_drop
    "server/vaultstorm_server/afd/emulated.py",  # likewise
    "server/vaultstorm_wire/version.py",  # nothing but a number
}

MODULES = sorted(
    path for package, folder in PACKAGES.items() for path in (ROOT / folder / package).rglob("*.py")
)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_file_holds_one_idea(path: Path) -> None:
    """Every file stays near 300 lines, and every function fits a screen."""
    lines = path.read_text().splitlines()
    assert len(lines) <= FILE_LINES_MAX
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            length = node.end_lineno - node.lineno + 1
            assert length <= FUNCTION_LINES_MAX or node.name in OPTIONS_MAX, node.name


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if not path.name.startswith("__") and _name(path) not in ELSEWHERE],
    ids=_name,
)
def test_a_module_has_its_tests(path: Path) -> None:
    """The tests of x.py are in test_x.py, in the folder that mirrors its own."""
    package = next(name for name in PACKAGES if name in path.parts)
    inside = path.relative_to(ROOT / PACKAGES[package] / package).parent
    assert (ROOT / "tests" / TESTS[package] / inside / f"test_{path.name}").is_file()


def test_the_top_level_folders_are_no_packages() -> None:
    """Nothing called server, client or scenarios can land in anyone's site-packages."""
    assert not [folder for folder in PACKAGES.values() if (ROOT / folder / "__init__.py").exists()]
