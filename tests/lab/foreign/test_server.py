"""Foreign servers as real processes: ready, acted on, ended; and nothing is left of them."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.foreign.tiny import HEAD, TARGET, VARIANT, events, failures, records, run, scenario
from tests.lab.tiny import session_members
from tests.support.command import command, environment
from tests.support.server import PATIENCE, until
from vaultstorm import variant_run
from vaultstorm.scenario import load
from vaultstorm.serving import members
from vaultstorm.watch import Watch
from vaultstorm_wire import journal
from vaultstorm_wire.errors import MachineError


def script(text: str, more: str = "") -> str:
    """Give a scenario whose server is a script."""
    return f"""{HEAD}
[target]
command = ["{{python}}", "-I", "-S", "-c", '''{text}''', "{{host}}", "{{port}}"]
{more}
{VARIANT}"""


LISTENS = """
import socket, sys, time
s = socket.create_server((sys.argv[1], int(sys.argv[2])))
"""


def test_a_foreign_server_is_started_fired_at_and_ended(tmp_path: Path) -> None:
    """Its version, its command and the verdicts of its middleware are in the records."""
    text = HEAD + TARGET.replace(
        "ready =", 'version = ["{python}", "-c", "print(); print(1.5)"]\nready ='
    )
    result = run(tmp_path, f'{text}{VARIANT}expect = ["lost == 0", "verdicts.once == 6"]\n')
    assert failures(result) == []
    assert (result["server"], result["version"]) == ("foreign", "1.5")
    assert (result["attempts"], result["client"]) == (6, None)
    assert (tmp_path / "out/only/server.log").read_text() == "serves\n"
    assert not (tmp_path / "out/only/server.toml").exists()
    assert '"url": "http://127.0.0.1:' in (tmp_path / "out/only/target.json").read_text()
    assert events(tmp_path) == [
        ("variant_started", "only"),
        ("load_started", None),
        ("load_finished", "exit 0"),
        ("server_exited", "signal 15"),
    ]
    kernel = [record for record in records(tmp_path) if isinstance(record, journal.Kernel)]
    assert kernel[0].queued == 0
    assert kernel[0].backlog == 5  # of wsgiref
    assert [record.overflows for record in kernel] == [0] * len(kernel)


def test_signals_and_commands_happen_in_their_order(tmp_path: Path) -> None:
    """A signal goes to the process that was started; a command is waited for."""
    text = f"""{HEAD}think = "100ms"
{TARGET}{VARIANT}actions = [
    {{ at = 0, signal = "HUP" }},
    {{ at = 0, command = ["sh", "-c", "echo {{{{dir}}}} > {{dir}}/asked; kill -HUP {{pid}}"] }},
    {{ when = "ended >= 1", signal = "WINCH" }},
    {{ at = "10s", action = "stop" }},
]
"""
    result = run(tmp_path, text)
    assert failures(result) == ["the load ended before the action came due: stop at 10 s"]
    assert (tmp_path / "out/only/target/asked").read_text() == "{dir}\n"
    told = (tmp_path / "out/only/target/told").read_text().split()
    assert set(told) == {"SIGHUP"}
    done = [detail or "" for name, detail in events(tmp_path) if name == "action"]
    assert [detail.split()[:2] for detail in done] == [
        ["signal", "HUP"],
        ["command", "sh"],
        ["signal", "WINCH"],
    ]


@pytest.mark.parametrize(
    "action, said",
    [
        ('["sh", "-c", "echo one; echo two; exit 3"]', "exit 3: two"),
        ('["sh", "-c", "kill -9 $$"]', "signal 9"),
        ('["false"]', "exit 1"),
        ('["no-such-program"]', "no-such-program is not installed; install it, or name its file"),
    ],
    ids=["exit", "signal", "silent", "missing"],
)
def test_a_command_that_fails_fails_the_run(tmp_path: Path, action: str, said: str) -> None:
    """With its exit code and what it said last."""
    text = f"{HEAD}{TARGET}{VARIANT}actions = [{{ at = 0, command = {action} }}]\n"
    (failure,) = failures(run(tmp_path, text))
    assert failure.startswith("command ")
    assert failure.endswith(f" at 0 s: {said}")


@pytest.mark.parametrize(
    "action, exited",
    [
        ('action = "stop"', "signal 15"),
        ('action = "kill"', "signal 9"),
        ('signal = "QUIT"', "signal 3"),
        ('signal = "KILL"', "signal 9"),
    ],
    ids=["stop", "kill", "QUIT", "KILL"],
)
def test_a_server_may_be_ended_in_the_middle(tmp_path: Path, action: str, exited: str) -> None:
    """Who asks for it gets no failure, and what is lost has a cause."""
    more = 'requests = 2000\nduration = "1s"\nthink = "5ms"\n'
    text = f"{HEAD.replace('requests = 3', more)}{TARGET}{VARIANT}"
    result = run(tmp_path, f'{text}actions = [{{ when = "ended >= 4", {action} }}]\n')
    assert failures(result) == []
    assert result["lost"] > 0
    assert ("server_exited", exited) in events(tmp_path)


def test_a_server_that_ends_by_itself_is_a_failure(tmp_path: Path) -> None:
    """And so is an action that comes too late for it."""
    text = script(f"{LISTENS}kept = [s.accept(), s.accept()]; sys.exit(7)")
    late = 'actions = [{ at = "300ms", signal = "HUP" }]\n'
    text = text.replace("requests = 3", 'requests = 999\nduration = "600ms"\nthink = "10ms"')
    assert failures(run(tmp_path, text + late)) == [
        "the server ended by itself, with exit 7",
        "the server had ended before the action came due: signal HUP at 0.3 s",
    ]


@pytest.mark.parametrize(
    "text, said",
    [
        (
            script("import sys; print('no', flush=True); sys.exit('no good')"),
            r"python[0-9.]* ended with exit 1 before it was ready: no good",
        ),
        (
            script("import os; os.fork() and os._exit(0)"),
            r"python[0-9.]* ended with exit 0 before it was ready; it has to stay in the",
        ),
        (
            script("import time; print('hm', flush=True); time.sleep(60)", "ready_timeout = 1"),
            r"python[0-9.]* is not ready after 1 s at 127.0.0.1:\d+: nobody listens; it says: hm",
        ),
        (
            script(f"{LISTENS}\nwhile 1: s.accept()[0].close()", "ready_timeout = 1"),
            r".*: it closes connections at once",
        ),
        (
            script(f"{LISTENS}time.sleep(60)", 'ready = "/x"\nready_timeout = 1'),
            r".*: it does not answer",
        ),
        (
            script(
                f"""{LISTENS}
while 1:
    c = s.accept()[0]
    c.recv(9999)
    c.sendall(b"HTTP/1.1 503 Busy\\r\\nContent-Length: 0\\r\\n\\r\\n")
""",
                'ready = "/x"\nready_timeout = 1',
            ),
            r".*: it answers 503 to GET /x",
        ),
    ],
    ids=["ends", "daemon", "listens-not", "closes", "silent", "503"],
)
def test_what_does_not_become_ready_says_why(tmp_path: Path, text: str, said: str) -> None:
    """With the last line of its log; and nothing is left running."""
    with pytest.raises(MachineError, match=f"^variant only: {said}"):
        run(tmp_path, text)


def test_what_is_not_installed_is_said_before_anything_runs(tmp_path: Path) -> None:
    """With the way to install it; no directory is made."""
    text = f'{HEAD}[target]\ncommand = ["no-such-server"]\ninstall = "pip install it"\n{VARIANT}'
    said = "^no-such-server is not installed; install it with: pip install it$"
    with pytest.raises(MachineError, match=said):
        run(tmp_path, text)
    assert not (tmp_path / "out").exists()


def test_the_command_line_may_replace_the_server(tmp_path: Path) -> None:
    """The rest of the target stays: files, readiness."""
    text = HEAD + TARGET.replace("command = [", 'version = ["x"]\ncommand = ["no-such-server", ')
    command = "{python} {dir}/server.py {host} {port} '{dir}'"
    result = run(tmp_path, f'{text}{VARIANT}expect = ["ok == 6"]', command=command)
    assert (failures(result), result["version"]) == ([], None)


FORKS = f"""{LISTENS}
import os, signal
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open(sys.argv[3], "w").write(str(os.getpgid(0)))
    while 1: time.sleep(60)
while not os.path.exists(sys.argv[3]): time.sleep(0.01)
kept = []
while 1: kept.append(s.accept())
"""
"""Has a child that does not end when it is asked to."""


def test_all_processes_of_a_server_are_ended(tmp_path: Path) -> None:
    """Its children belong to its group, whether they heed its stop signal or not."""
    text = script(FORKS, 'files = { x = "" }').replace('"{port}"]', '"{port}", "{dir}/child"]')
    result = run(tmp_path, f'{text}actions = [{{ at = 0, action = "kill" }}]\n')
    assert (failures(result), result["lost"]) == ([], 6)
    assert members(int((tmp_path / "out/only/target/child").read_text())) == []


def test_a_server_of_which_a_part_had_to_be_killed_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What that part had under way is in no access log, so the log is not whole."""
    monkeypatch.setattr("vaultstorm.foreign.server.GROUP_GRACE", 0.05)
    text = script(FORKS, 'files = { x = "" }').replace('"{port}"]', '"{port}", "{dir}/child"]')
    result = run(tmp_path, f'{text}load = {{ scheme = "tcp" }}\n')
    assert (failures(result), result["ok"]) == ([], 6)
    assert events(tmp_path)[-1] == ("server_exited", "signal 9")


@pytest.mark.parametrize("moment", ["server starts", "attempts ended"])
def test_an_exception_leaves_no_process(tmp_path: Path, moment: str) -> None:
    """Whatever is raised beside it, server and load are gone when it comes out."""
    text = f"{HEAD.replace('requests = 3', 'requests = 99999')}{TARGET}{VARIANT}"
    loaded = load(scenario(tmp_path, text))
    directory = tmp_path / "out"
    (directory / "journal").mkdir(parents=True)
    children: list[int] = []

    def show(line: Callable[[], str]) -> None:
        if moment in line() and len(_children()) == (1 if moment == "server starts" else 2):
            children.extend(_children())
            raise KeyError(moment)

    place = variant_run.Place(directory, tmp_path / "tls", 0, 1)
    with pytest.raises(KeyError, match=moment), Watch(60) as watch:
        variant_run.run(loaded, loaded.variants[0], place, watch, show)
    assert not set(children) & set(_children())
    assert [pid for child in children for pid in members(child)] == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _children() -> list[int]:
    """Give the pids of our own children."""
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return [int(pid) for pid in text.split()]


def test_the_time_limit_ends_load_and_server(tmp_path: Path) -> None:
    """What the load had done by then is written down, and no process is left."""
    text = f"{HEAD.replace('requests = 3', 'requests = 99999')}{TARGET}{VARIANT}"
    loaded = load(scenario(tmp_path, text))
    (tmp_path / "out/journal").mkdir(parents=True)
    place = variant_run.Place(tmp_path / "out", tmp_path / "tls", 0, 1)
    before = _children()
    with Watch(60) as watch:

        def show(line: Callable[[], str]) -> None:
            said = line()
            if "attempts ended" in said and ": 0.0 s, 0 " not in said:
                watch._deadline = 0.0

        failures = variant_run.run(loaded, loaded.variants[0], place, watch, show)
    assert failures == ["the time limit of 60 s was reached"]
    assert _children() == before
    assert (tmp_path / "out/burst.json").exists()


@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
def test_an_interrupt_ends_everything(tmp_path: Path, times: int) -> None:
    """Ctrl-C in the middle, and again for who cannot wait: no process of either side is left."""
    head = HEAD.replace("requests = 3", "requests = 99999")
    path = scenario(tmp_path, f"{head}{TARGET}{VARIANT}")
    process = subprocess.Popen(
        command("run", str(path), f"--out={tmp_path / 'out'}"),
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    log = tmp_path / "out/only/journal"
    until(lambda: [path for path in log.glob("client-*") if b"attempt" in path.read_bytes()])
    for _ in range(times):
        process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (130, b"")
    assert session_members(process.pid) == []
