"""The library ships: in the source tree, and in a wheel."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

from vaultstorm import library

ROOT = Path(__file__).parents[2]


def test_names_are_those_of_the_files() -> None:
    """Every TOML file in the folder is found by its name, and nothing else is."""
    files = (ROOT / "scenarios/vaultstorm/library").glob("*.toml")
    assert library.names() == sorted(file.stem for file in files)
    for name in library.names():
        found = library.find(name)
        assert found is not None
        assert found.read_bytes().startswith(b"#")
    assert library.find("../library/backlog-burst") is None
    assert library.find("none") is None


def test_it_works_from_a_wheel(tmp_path: Path) -> None:
    """What is installed lists the library and runs a variant of it, far from the source tree."""
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]
    subprocess.run([*build, str(tmp_path), str(ROOT)], check=True, timeout=50)
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)

    def installed_vaultstorm(*arguments: str) -> str:
        command = [sys.executable, "-m", "vaultstorm", *arguments]
        environment = {"PYTHONPATH": str(installed), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
        return subprocess.run(
            command, env=environment, cwd=tmp_path, check=True, timeout=50, stdout=subprocess.PIPE
        ).stdout.decode()

    listed = json.loads(installed_vaultstorm("scenarios", "--json=-"))
    assert [scenario["name"] for scenario in listed] == library.names()
    chosen = ("--variant=fixed-backlog", "--json=-", "--out=run")
    result = json.loads(installed_vaultstorm("run", "backlog-burst", *chosen))
    assert result["passed"]
    assert (tmp_path / "run" / "report.html").is_file()
