"""The exit codes, met through real processes: no input ends in a traceback."""

import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import command, environment, vaultstorm
from tests.support.server import tls_dir, until


@pytest.fixture
def free_port() -> Iterator[int]:
    """Give a port that nobody listens on and nobody else is given meanwhile."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.fixture
def bad_toml(tmp_path: Path) -> Path:
    """Write a file whose second line is no TOML."""
    path = tmp_path / "bad.toml"
    path.write_text("[afd]\nBacklog 5\n")
    return path


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["sevre"], "No such command 'sevre'"),
        (["serve", "--zebra"], "No such option: --zebra"),
        (["serve", "--port", "65536"], "--port"),
        (["serve", "--overflow", "rst"], "--overflow"),
        (["serve", "--set", "afd.Baklog=1"], "did you mean afd.Backlog?"),
        (["serve", "--set", "afd.Backlog=0"], "afd.Backlog = 0 is out of range: 1 to 65535"),
        (["serve", "--backlog", "0"], "afd.Backlog = 0 is out of range: 1 to 65535"),
        (["serve", "--accept-interval", "soon"], "is not a duration such as 500ms"),
        (["serve", "--config", "no-such.toml"], "cannot read no-such.toml"),
        (
            ["ctl", "explode"],
            "unknown action 'explode'; there are status, gate [resolver|exporter] open|closed",
        ),
        (["ctl", "gate", "ajar"], "write: ctl gate [resolver|exporter] open|closed"),
        (["ctl", "status", "--admin", "ftp://x"], "write it as http://127.0.0.1:8079"),
        (["probe", "http://192.0.43.8/"], "--allow-remote"),
        (["probe", "gopher://127.0.0.1/"], "is not a target"),
        (["probe", "tcp://127.0.0.1:9", "--timeout", "0"], "--timeout 0 is out of range"),
        (["doctor", "--clients", "0"], "--clients"),
        (["--log-level", "loud", "doctor"], "--log-level"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str) -> None:
    """What is asked for wrongly ends with 2 and a sentence on stderr, nothing on stdout."""
    ended = vaultstorm(*arguments)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_bad_toml(bad_toml: Path) -> None:
    """A file that is no TOML is named with the line."""
    ended = vaultstorm("serve", "--config", str(bad_toml))
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"vaultstorm: {bad_toml}, line 2: ")


def test_nobody_at_the_control_plane(free_port: int) -> None:
    """Without a server, ctl ends with 3 and says what to do."""
    ended = vaultstorm("ctl", "status", "--admin", f"http://127.0.0.1:{free_port}")
    assert ended.returncode == 3
    assert "vaultstorm serve" in ended.stderr


@pytest.mark.parametrize("option", ["--port", "--rpc-port", "--admin-port"])
def test_taken_port(option: str, tmp_path: Path) -> None:
    """A port that somebody has ends with 3, naming the port, and the option for another."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = str(holder.getsockname()[1])
        ports = {"--port": "0", "--admin-port": "0", option: taken}
        options = [word for pair in ports.items() for word in pair]
        ended = vaultstorm("serve", "--tls-dir", str(tmp_path), *options)
    assert ended.returncode == 3
    assert taken in ended.stderr
    assert f"another {option}" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_finding(free_port: int) -> None:
    """A layer that fails is a finding: 1, and the result is on stdout."""
    ended = vaultstorm("probe", f"tcp://127.0.0.1:{free_port}")
    assert ended.returncode == 1
    assert "connect.refused" in ended.stdout
    assert ended.stderr == ""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["serve", "--help"], ["serve", "--help-settings"]]
)
def test_help(arguments: list[str]) -> None:
    """Help is a result."""
    ended = vaultstorm(*arguments)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout


def test_version() -> None:
    """The version is said on stdout."""
    ended = vaultstorm("--version")
    assert ended.returncode == 0
    assert ended.stdout.startswith("vaultstorm ")


def test_no_command() -> None:
    """Without a command, the help is shown and the usage was wrong."""
    ended = vaultstorm()
    assert ended.returncode in (0, 2)  # Click has changed its mind
    assert "serve" in ended.stdout + ended.stderr


def inside(code: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `code` and then the command line, in one process of their own."""
    script = f"import sys; from vaultstorm.__main__ import main; {code}; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=environment(**env),
        timeout=50,
    )


def inside_lines(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `code`, of several lines, and then the command line, in one process of their own."""
    return inside(f"exec({code!r}, globals())", *arguments)


def test_bug(tmp_path: Path) -> None:
    """Our own bug ends with 4; the traceback is in a file that the sentence names."""
    broken = "import vaultstorm.machine as m; m.read = lambda: 1 // 0"
    ended = inside(broken, "doctor", TMPDIR=str(tmp_path))
    assert ended.returncode == 4
    (file,) = tmp_path.iterdir()
    assert "this is a bug in vaultstorm (ZeroDivisionError" in ended.stderr
    assert str(file) in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Traceback" in file.read_text()


def test_interrupt() -> None:
    """Ctrl-C is 130, as a shell expects, and quiet."""
    code = "import vaultstorm.machine as m, os; m.read = lambda: os.kill(os.getpid(), 2)"
    ended = inside(code, "doctor")
    assert ended.returncode == 128 + signal.SIGINT
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [["serve", "--help-settings"], ["doctor", "--json", "-"], ["--help"], ["--version"]],
)
def test_reader_that_has_left(arguments: list[str]) -> None:
    """A closed pipe behind stdout is no finding and no noise: 141, as for any other command."""
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        command(*arguments),
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
        env=environment(),
        timeout=50,
    )
    os.close(writer)
    assert ended.stderr == b""
    assert ended.returncode == 128 + signal.SIGPIPE


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_standard_streams_that_are_closed(closed: str) -> None:
    """A command does its work all the same, and says nothing of a bug."""
    script = f"exec {shlex.join(command('--version'))} {closed}"
    ended = subprocess.run(
        ["sh", "-c", script], capture_output=True, check=False, env=environment(), timeout=50
    )
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_server_without_standard_streams(tmp_path: Path) -> None:
    """No socket of the server's takes the number of a closed stream, and it ends as it should."""
    serve = command("serve", "--port=0", "--admin-port=0", "--no-rpc", f"--tls-dir={tls_dir()}")
    script = f"exec {shlex.join([*serve, f'--journal={tmp_path}'])} <&- >&- 2>&-"
    with subprocess.Popen(["sh", "-c", script], env=environment()) as process:
        try:
            until(lambda: any(b'"ready"' in f.read_bytes() for f in tmp_path.glob("front-*")))
            process.terminate()
            assert process.wait(50) == 0
        finally:
            process.kill()


def test_output_to_a_full_disk() -> None:
    """A result that cannot be written is the machine's doing: 3, and one sentence."""
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(
            command("doctor"),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            env=environment(),
            timeout=50,
        )
    assert ended.returncode == 3
    assert ended.stderr == b"vaultstorm: the disk that the output goes to is full\n"


@pytest.mark.parametrize(
    "raised, said",
    [
        ("OSError(24, 'Too many open files')", "ulimit -n"),
        ("OSError(23, 'Too many open files in system')", "fs.file-max"),
        ("MemoryError()", "memory"),
    ],
)
def test_limits_of_the_machine(raised: str, said: str) -> None:
    """Out of descriptors or memory is 3, wherever it happens, and no bug of ours."""
    code = f"import vaultstorm.machine as m\ndef read(): raise {raised}\nm.read = read"
    ended = inside_lines(code, "doctor")
    assert ended.returncode == 3
    assert said in ended.stderr
    assert "bug" not in ended.stderr


def test_interrupt_that_python_would_swallow() -> None:
    """Ctrl-C ends the command also where Python drops exceptions, as in importlib's callbacks."""
    code = (
        "import vaultstorm.machine as m, os\n"
        "class Dropped:\n"
        "    def __del__(self): os.kill(os.getpid(), 2)\n"
        "m.read = lambda: Dropped() and None"
    )
    ended = inside_lines(code, "doctor")
    assert ended.returncode == 128 + signal.SIGINT
    assert ended.stderr == ""


def test_terminal_that_is_not_utf8() -> None:
    """What a terminal's encoding lacks is escaped instead of ending the command."""
    ended = vaultstorm("probe", "tcp://127.0.0.1:1", "--path", "/", PYTHONIOENCODING="ascii")
    assert ended.returncode == 1


HEAVY = ("rich", "structlog", "msgspec", "uvloop", "asyncio", "ssl", "h11", "uvicorn")


def test_help_starts_light() -> None:
    """Help imports nothing that only the work of a command needs: that is what keeps it fast."""
    code = (
        "import atexit; atexit.register(lambda: print("
        "*[name for name in " + repr(HEAVY) + " if name in sys.modules], file=sys.stderr))"
    )
    assert inside(code, "--help").stderr.split() == []
