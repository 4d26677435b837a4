"""The installed wheel: everything works where there is nothing else, and no checkout to import."""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from importlib import util
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.lab import tiny
from tests.support import examples
from tests.support.command import ROOT
from vaultstorm import library
from vaultstorm.cli.examples import EXAMPLES

pytestmark = [pytest.mark.alone, pytest.mark.timeout(150)]

PACKAGES = {
    "vaultstorm_wire": "server",
    "vaultstorm_server": "server",
    "vaultstorm_client": "client",
    "vaultstorm": "scenarios",
}
PAGE = ROOT / "docs" / "tasks" / "pytest.md"
UNKEPT = ("PYTHON", "PYTEST", "VAULTSTORM", "XDG")

TYPED = """\
from vaultstorm.testing import Server, Servers
from vaultstorm_wire.outcome import is_lost


def test_mine(vaultstorm_server: Servers) -> None:
    server: Server = vaultstorm_server(backlog=10, overflow="reset")
    wrong: int = server.url
    port: int = server.port
    lost: bool = is_lost("wait.closed")
    assert wrong and port and lost
"""


class Installed(NamedTuple):
    """An environment into which nothing but the wheel and pytest were installed."""

    sdist: Path
    wheel: Path
    environment: Path

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.environment / "bin" / "python")

    def run(
        self, folder: Path, *command: str, status: int | None = 0
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program of it in a folder, which is its home as well."""
        program, *arguments = command
        ended = subprocess.run(
            [str(self.environment / "bin" / program), *arguments],
            capture_output=True,
            check=False,
            cwd=folder,
            encoding="utf-8",
            env=clean(folder),
            stdin=subprocess.DEVNULL,
            timeout=100,
        )
        if status is not None:
            assert ended.returncode == status, f"{command}\n{ended.stdout}\n{ended.stderr}"
        return ended

    def vaultstorm(
        self, folder: Path, *arguments: str, status: int | None = 0
    ) -> "subprocess.CompletedProcess[str]":
        """Run the command as a shell would."""
        return self.run(folder, "vaultstorm", *arguments, status=status)


def clean(home: Path) -> dict[str, str]:
    """Give an environment in which nothing leads to the checkout."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(UNKEPT)}
    return {**kept, "HOME": str(home)}


def pip(*arguments: str) -> None:
    """Run pip as it is set up here, and show what it says if it fails."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    ended = subprocess.run(
        command, capture_output=True, check=False, encoding="utf-8", cwd=ROOT, timeout=140
    )
    assert ended.returncode == 0, ended.stderr


def install(folder: Path) -> Installed:
    """Build the sdist, of that the wheel, and install it into an environment of its own."""
    constraint = ["--constraint", str(ROOT / "constraints.txt")]
    for name in ("builder", "environment"):
        venv = [sys.executable, "-m", "venv", "--without-pip", str(folder / name)]
        subprocess.run(venv, check=True, timeout=100)
    builder, python = (str(folder / name / "bin" / "python") for name in ("builder", "environment"))
    pip("--python", builder, "install", "--no-compile", *constraint, "hatchling")
    sdist = [builder, "-m", "hatchling", "build", "--target", "sdist", "--directory", str(folder)]
    subprocess.run(sdist, check=True, capture_output=True, cwd=ROOT, timeout=100)
    (archive,) = folder.glob("*.tar.gz")
    pip(
        *("--python", builder, "wheel", "--no-deps", "--no-build-isolation"),
        *("--wheel-dir", str(folder), str(archive)),
    )
    (wheel,) = folder.glob("*.whl")
    pip("--python", python, "install", "--no-compile", *constraint, str(wheel), "pytest")
    return Installed(archive, wheel, folder / "environment")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Install once, for all processes of a test run."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder, paths = shared / "wheel", shared / "wheel.json"
    with (shared / "wheel.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not paths.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a process that failed
            folder.mkdir()
            paths.write_text(json.dumps([str(path) for path in install(folder)]))
    return Installed(*map(Path, json.loads(paths.read_text())))


@contextlib.contextmanager
def serving(installed: Installed, folder: Path, *options: str) -> Iterator[dict[str, Any]]:
    """Run the installed server on free ports; give its ready line."""
    ports = ("--port=0", "--admin-port=0", "--rpc-port=0")
    with subprocess.Popen(
        [str(installed.environment / "bin" / "vaultstorm"), "serve", *ports, *options],
        cwd=folder,
        env=clean(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        try:
            line = server.stdout.readline()
            assert line, server.stderr.read()
            yield json.loads(line)
        finally:
            server.terminate()
            server.communicate(timeout=50)
    assert server.returncode == 0


def test_every_file_ships(installed: Installed) -> None:
    """The wheel that is built of the sdist has what the packages have, the entry points too."""
    ours = {
        str(path.relative_to(ROOT / folder))
        for package, folder in PACKAGES.items()
        for path in (ROOT / folder / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(installed.wheel) as archive:
        names = set(archive.namelist())
        (points,) = (name for name in names if name.endswith(".dist-info/entry_points.txt"))
        said = archive.read(points).decode()
    assert {name for name in names if ".dist-info/" not in name} == ours
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
    assert "vaultstorm = vaultstorm.__main__:main" in said
    assert "[pytest11]\nvaultstorm = vaultstorm.pytest_plugin" in said
    with tarfile.open(installed.sdist) as source:
        assert any(name.endswith("/tests/system/test_wheel.py") for name in source.getnames())


def test_it_is_the_wheel_that_runs(installed: Installed, tmp_path: Path) -> None:
    """All four packages come from the environment, also where a program starts as Python -I."""
    code = f"import {', '.join(PACKAGES)}\nprint({', '.join(f'{p}.__file__' for p in PACKAGES)})"
    for file in installed.run(tmp_path, "python", "-I", "-c", code).stdout.split():
        assert Path(file).is_relative_to(installed.environment)


def test_every_command_explains_itself(installed: Installed, tmp_path: Path) -> None:
    """The program and all its commands have help; the scenarios that ship are all there."""
    for name in EXAMPLES:
        said = installed.vaultstorm(tmp_path, *([name] if name else []), "--help").stdout
        assert said.startswith(f"Usage: vaultstorm{' ' if name else ''}{name}")
    listed = json.loads(installed.vaultstorm(tmp_path, "scenarios", "--json", "-").stdout)
    assert {scenario["name"] for scenario in listed} == set(library.names())
    assert "this machine is" in installed.vaultstorm(tmp_path, "doctor", status=None).stdout
    script = installed.vaultstorm(tmp_path, "--show-completion", "bash").stdout
    assert "complete -o default" in script


def test_a_server_is_served_probed_burst_and_told(installed: Installed, tmp_path: Path) -> None:
    """Its certificates, its registry exports and its control plane work from the wheel alone."""
    with serving(installed, tmp_path, "--reg=kb960007", "--backlog=9") as ready:
        url, trust = ready["url"], f"--ca={ready['ca']}"
        assert Path(ready["ca"]).is_relative_to(tmp_path)
        assert "every layer works" in installed.vaultstorm(tmp_path, "probe", url, trust).stdout
        burst = ("burst", url, trust, "--clients=5", "--requests=2", "--json=-")
        assert json.loads(installed.vaultstorm(tmp_path, *burst).stdout)["ok"] == 10
        admin = f"--admin={ready['admin']}"
        status = installed.vaultstorm(tmp_path, "ctl", "status", admin, "--json=-").stdout
        assert json.loads(status)["accept_queue"]["queue"]["capacity"] == 9
        installed.vaultstorm(tmp_path, "ctl", "recycle", admin)


def test_a_scenario_is_run_and_reported(installed: Installed, tmp_path: Path) -> None:
    """The report has its styles and scripts in it, and is the same when it is made again."""
    tiny.write(tmp_path)
    installed.vaultstorm(tmp_path, "run", "./tiny.toml", "--out=result")
    page = tmp_path / "result" / "report.html"
    first = page.read_text()
    assert "uPlot" in first
    assert "<style>" in first
    page.unlink()
    installed.vaultstorm(tmp_path, "report", "result")
    assert page.read_text() == first


def test_a_typed_program_is_checked(installed: Installed, tmp_path: Path) -> None:
    """Mypy believes the wheel's annotations, and finds what contradicts them."""
    if util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    (tmp_path / "consumer.py").write_text(TYPED)
    options = ("--strict", "--python-executable", installed.python, "--cache-dir", os.devnull)
    checked = subprocess.run(
        [sys.executable, "-I", "-m", "mypy", *options, "consumer.py"],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        encoding="utf-8",
        env=clean(tmp_path),
        timeout=140,
    )
    assert checked.stdout.count(": error: ") == 1, checked.stdout
    assert checked.stdout.startswith("consumer.py:7: error: Incompatible types in assignment")


def test_the_plugin_s_example_passes(installed: Installed, tmp_path: Path) -> None:
    """What the page shows first, copied into an empty project, is found and passes."""
    steps = examples.steps(PAGE.read_text(encoding="utf-8"))
    name, text = next(step.file for step in steps if step.file)
    (tmp_path / name).write_text(text)
    said = installed.run(tmp_path, "python", "-I", "-m", "pytest", "-q", "--strict-markers", name)
    assert " passed" in said.stdout
