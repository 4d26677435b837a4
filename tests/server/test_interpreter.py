"""One of our processes starts another."""

import subprocess
import sys
from pathlib import Path

from vaultstorm_server import interpreter


def test_a_module_is_run_by_this_very_python() -> None:
    """The command names our interpreter and the module."""
    assert interpreter.command("m", "--a", "1") == [sys.executable, "-P", "-m", "m", "--a", "1"]


def test_what_lies_in_the_current_directory_is_not_imported(tmp_path: Path) -> None:
    """A file there that is called as a module of ours or Python's would end every process."""
    (tmp_path / "this.py").write_text("print('shadowed')")
    ended = subprocess.run(
        interpreter.command("this"), check=True, capture_output=True, cwd=tmp_path, text=True
    )
    assert ended.stdout.startswith("The Zen of Python")


def test_a_child_imports_what_this_process_imports(tmp_path: Path) -> None:
    """Also where it is found in the current directory, as without an installation."""
    code = "import vaultstorm_server; print(vaultstorm_server.__file__)"
    ended = subprocess.run(
        [sys.executable, "-P", "-S", "-c", code],
        check=True,
        capture_output=True,
        cwd=tmp_path,
        env=interpreter.environment(),
        text=True,
    )
    assert Path(ended.stdout.strip()) == Path(interpreter.__file__).with_name("__init__.py")
