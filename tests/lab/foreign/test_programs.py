"""Programs: found, run, ended, asked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vaultstorm.foreign import programs
from vaultstorm.foreign.target import Target
from vaultstorm.serving import members
from vaultstorm_wire.errors import MachineError

PYTHON = sys.executable
ENV = dict(os.environ)


def test_what_is_beside_our_python_is_found_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what Debian hides from users is found last."""
    monkeypatch.setenv("PATH", "/nowhere")
    path = programs.environment({"A": "b"})["PATH"].split(os.pathsep)
    assert path[:2] == [str(Path(PYTHON).parent), "/nowhere"]
    assert path[-1] == "/sbin"
    assert programs.find(Path(PYTHON).name, None) == str(Path(PYTHON).parent / Path(PYTHON).name)
    assert programs.is_installed(PYTHON)
    assert not programs.is_installed("no-such-program")


def test_what_is_missing_says_how_to_install_it() -> None:
    """Or that it has to be installed, if nobody knows how."""
    with pytest.raises(MachineError, match=r"^x-y is not installed; install it with: apt x$"):
        programs.find("x-y", "apt x")
    with pytest.raises(MachineError, match=r"^\./x-y is no program that can be run$"):
        programs.find_first(Target(command=("./x-y",)))
    with pytest.raises(MachineError, match="or name its file"):
        programs.find_first(Target(command=("x-y",)))
    programs.find_first(Target(command=("{python}",)))
    programs.find_first(Target(command=("x-y",), env={"PATH": "{dir}"}))
    with pytest.raises(MachineError, match="x-y is not installed"):
        programs.find_first(Target(command=("x-y",), env={"PATH": "/nowhere"}))


@pytest.mark.parametrize(
    "code, said",
    [
        ("print(); print(' one '); print('two')", "one"),
        ("import sys; print('err', file=sys.stderr)", "err"),
        ("", None),
        ("print('x'); raise SystemExit(2)", None),
    ],
    ids=range(4),
)
def test_a_version_is_the_first_line_that_is_said(code: str, said: str | None) -> None:
    """On either stream; a program that fails has none."""
    assert programs.version([PYTHON, "-c", code], ENV, lambda: None) == said


def test_a_version_may_not_be_had() -> None:
    """That is no error."""
    assert programs.version(["/no/such"], ENV, lambda: None) is None
    assert programs.version(["yes"], ENV, lambda: None) is None  # it would go on for ever

    def meanwhile() -> None:
        raise KeyError("now")

    with pytest.raises(KeyError, match="now"):
        programs.version(["sleep", "60"], ENV, meanwhile)


def test_what_cannot_be_run_is_named(tmp_path: Path) -> None:
    """A file that is no program."""
    path = tmp_path / "program"
    path.write_text("x")
    path.chmod(0o755)
    with (
        pytest.raises(MachineError, match=r"^cannot run .*program: Exec format error"),
        programs.running([str(path)], 1, ENV),
    ):
        pass


def test_a_group_is_ended_with_its_block(tmp_path: Path) -> None:
    """Whoever ignores signals as well."""
    with (tmp_path / "log").open("wb") as log:
        command = ["sh", "-c", "trap '' TERM INT; sleep 60 & echo up; sleep 60"]
        with programs.running(command, log, ENV) as process:
            assert not programs.wait_for_group(process.pid, 0.05)
        assert members(process.pid) == []
        assert programs.wait_for_group(process.pid, 0)
        programs.signal_group(process.pid, 15)  # type: ignore[arg-type]


AS_NOBODY = """
import os, signal, subprocess, sys
from vaultstorm.foreign import programs
from vaultstorm.serving import members
from vaultstorm_wire.errors import MachineError
with subprocess.Popen(["sleep", "60"], process_group=0) as process:
    os.setresuid(65534, 65534, 0)
    for send in (
        lambda: programs.signal_group(process.pid, signal.SIGTERM),
        lambda: programs.signal_process(process, signal.SIGTERM),
    ):
        try:
            send()
        except MachineError as error:
            print(error, members(process.pid) == [process.pid])
    os.setresuid(0, 0, 0)
    process.kill()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_process_of_another_user_is_said_to_be_one() -> None:
    """As behind sudo: nobody but root can end it."""
    ended = subprocess.run([PYTHON, "-c", AS_NOBODY], capture_output=True, text=True, check=True)
    said = "it runs as another user, as behind sudo: it has to be ended by hand True"
    assert ended.stdout.splitlines() == [said] * 2


def test_a_command_gets_its_time(tmp_path: Path) -> None:
    """Then it is ended; so it is when there is something more important."""
    output = tmp_path / "log"
    programs.run_to_end(["true"], ENV, output, 9, lambda: None)
    with pytest.raises(MachineError, match=r"^it has not ended within 0.05 s$"):
        programs.run_to_end(["sleep", "60"], ENV, output, 0.05, lambda: None)

    def meanwhile() -> None:
        raise KeyError("now")

    with pytest.raises(KeyError, match="now"):
        programs.run_to_end(["sleep", "60"], ENV, output, 60, meanwhile)
    output.write_text("before\n")
    with pytest.raises(MachineError, match=r"^exit 1$"):
        programs.run_to_end(["false"], ENV, output, 9, lambda: None)


def test_the_last_line_of_a_log(tmp_path: Path) -> None:
    """Shortened; a log that is not there has none."""
    log = tmp_path / "log"
    assert programs.last_line(log) == ""
    log.write_bytes(b"a\n \xff" + b"b" * 999 + b"\n\n  \n")
    assert programs.last_line(log) == "\N{REPLACEMENT CHARACTER}" + "b" * 299
    log.write_text("")
    assert programs.last_line(log) == ""
    with log.open("wb") as file:
        file.seek(1 << 34)  # far more than can be read
        file.write(b"\nlast\n")
    assert programs.last_line(log) == "last"


def test_how_a_process_ended() -> None:
    """As journals say it."""
    assert [programs.how(code) for code in (0, 3, -15, None)] == [
        *("exit 0", "exit 3", "signal 15", "signal 9"),
    ]
