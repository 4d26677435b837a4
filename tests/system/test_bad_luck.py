"""A whole server whose worker processes are killed, or cannot be made, while it is under load."""

import contextlib
import http.client
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.command import command, environment
from tests.support.server import PATIENCE, STATUS, Server, running_server, until
from vaultstorm.reconcile import existing, reconcile, summarise
from vaultstorm_wire.journal import Event, Request

KILLS = 200
LIKELY = {"serving": 20, "shutting down": 20, "starting": 1}
"""How likely one is to be killed; those that start less, or no other would ever serve."""
HANGS = 1 / 10
"""How many are hung, at a recycle, in place of being killed at once."""
MANY = 1000
"""Of processes or descriptors: more than the server needs."""
LOST = "Connection_Abandoned_By_AppPool"
LIVES = ("worker_started", "worker_serving", "worker_stopping", "worker_died")


def children(pid: int) -> list[int]:
    """Give the children of a process, zombies too."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def descriptors(server: Server) -> Counter[str]:
    """Count the descriptors of the front process by what they are; its logs do not matter."""
    kinds: Counter[str] = Counter()
    for link in Path(f"/proc/{server.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            kinds[os.readlink(link).partition(":")[0]] += 1
    return Counter({kind: count for kind, count in kinds.items() if not kind.endswith(".log")})


def events(server: Server) -> list[Event]:
    """Give what happened to the front process, in order."""
    return [record for record in server.records("front") if isinstance(record, Event)]


def requests(server: Server) -> list[tuple[str | None, int | None, str | None]]:
    """Give id, status and cause of the requests that have ended."""
    records = [record for record in server.records("front") if isinstance(record, Request)]
    return [(record.id, record.status, record.cause) for record in records]


def in_state(server: Server, state: str) -> list[int]:
    """Give the workers in a state."""
    return [w["pid"] for w in server.status()["pool"]["workers"] if w["state"] == state]


# Killed at any moment.


@contextlib.contextmanager
def load(server: Server, result: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run keep-alive clients that go on until the block ends."""
    options = ["--clients=16", "--think=50ms", "--duration=10min", "--seed=4"]
    where = ["--json", str(result), "--journal", str(server.journal)]
    process = subprocess.Popen(command("burst", server.url, *options, *where), env=environment())
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait()


def kill_one_that_shuts_down(server: Server) -> None:
    """Kill one that was told to stop and that hangs, so that it cannot: chance meets few."""
    (worker,) = server.control("POST", "/worker/hang")["pids"]
    server.control("POST", "/recycle")
    until(lambda: worker in in_state(server, "shutting down"))
    os.kill(worker, signal.SIGKILL)


def kill_until_it_is_off(server: Server) -> None:
    """Kill workers at random moments of their lives, until rapid-fail protection has enough."""
    draw = random.Random(908739)
    while (pool := server.status()["pool"])["state"] != "disabled":
        time.sleep(draw.uniform(0, 0.02))  # the moment is what is random here
        likely = {worker["pid"]: LIKELY[worker["state"]] for worker in pool["workers"]}
        (victim,) = draw.choices([0, *likely], [20, *likely.values()])
        with contextlib.suppress(ProcessLookupError):
            if victim and draw.random() < HANGS:
                os.kill(victim, signal.SIGSTOP)
                server.control("POST", "/recycle")
            elif victim:
                os.kill(victim, signal.SIGKILL)
    assert pool["deaths"] >= KILLS


@pytest.mark.alone
@pytest.mark.timeout(120)
def test_two_hundred_kills_under_load_are_accounted_for(tmp_path: Path) -> None:
    """Every attempt has one outcome and a cause, nothing ran twice, and nothing is left behind."""
    journal = tmp_path / "kills" / "journal"
    settings = [f"RapidFailProtectionMaxCrashes={KILLS}", "MaxProcesses=4", "PendingReceives=2"]
    given = [f"apppool.{setting}" for setting in settings]
    with running_server(journal, "httpsys.TLS=0", "--backlog=200", *given) as server:
        until(lambda: server.events().count("worker_serving") == 4)
        before = descriptors(server)
        with load(server, tmp_path / "kills" / "burst.json"):
            until(lambda: len(requests(server)) > 100)
            kill_one_that_shuts_down(server)
            kill_until_it_is_off(server)
            assert server.ask().status == 503
            for pid in children(server.pid):
                os.kill(pid, signal.SIGCONT)
        until(lambda: children(server.pid) == [])
        server.control("POST", "/start-pool")
        assert server.ask().status == 200
        until(lambda: len(in_state(server, "serving")) == 4)
        until(lambda: descriptors(server) == before)
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        happened = events(server)
    lives = {name: {e.worker for e in happened if e.name == name} for name in LIVES}
    assert [pid for pid in lives["worker_started"] if Path(f"/proc/{pid}").exists()] == []
    assert lives["worker_died"] - lives["worker_serving"], "none was killed while it started"
    assert lives["worker_died"] & lives["worker_serving"] - lives["worker_stopping"]
    assert lives["worker_died"] & lives["worker_stopping"], "none was while it was shutting down"
    logged = [event.event_id for event in happened if event.event_id is not None]
    assert len(logged[: logged.index(1002)]) == KILLS
    assert set(logged) == {1009, 1002}

    assert reconcile(tmp_path, ["kills"]) == []
    with existing(tmp_path) as db:
        summary = summarise(db, "kills")
    assert summary["attempts"] == sum(summary["outcomes"].values())
    assert (summary["unexplained"], summary["verdicts"]["twice"]) == (0, 0)
    assert set(summary["causes"]) <= {LOST, "AppOffline", "N/A", "client"}
    assert summary["causes"][LOST] > 0


# Killed once, with everything there is to lose.


@pytest.mark.parametrize("shutting_down", [False, True])
def test_what_a_killed_worker_takes_with_it_is_recorded_once(
    tmp_path: Path, shutting_down: bool
) -> None:
    """What is in flight is lost by name; what waits for a worker is answered by the next one."""
    with running_server(tmp_path, "httpsys.TLS=0", "apppool.PendingReceives=2") as server:
        (worker,) = server.workers
        os.kill(worker, signal.SIGSTOP)
        with contextlib.ExitStack() as stack:
            connections = []
            for number in range(4):
                connection = stack.enter_context(contextlib.closing(server.connect()))
                connection.request("GET", STATUS, headers={"X-Request-Id": str(number)})
                wait_for_counts(server, min(number + 1, 2), max(number - 1, 0))
                connections.append(connection)
            if shutting_down:
                server.control("POST", "/recycle")
                until(lambda: in_state(server, "shutting down") == [worker])
            os.kill(worker, signal.SIGKILL)
            for connection in connections[:2]:
                with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
                    connection.getresponse()
            for connection in connections[2:]:
                assert connection.getresponse().status == 200
        until(lambda: len(requests(server)) == 4)
        ended = [("0", None, LOST), ("1", None, LOST), ("2", 200, None), ("3", 200, None)]
        assert sorted(requests(server)) == ended
        assert [line.split()[-2] for line in server.httperr()] == [LOST] * 2
        until(lambda: [e.event_id for e in events(server) if e.event_id] == [1009])


def wait_for_counts(server: Server, held: int, waiting: int) -> None:
    """Wait until workers have so many requests, and so many wait."""

    def counts() -> tuple[int, int]:
        queue = server.status()["pool"]["queue"]
        return queue["held"], queue["waiting"]

    until(lambda: counts() == (held, waiting))


# Hung.


def test_a_hung_worker_does_not_hold_the_end_up(tmp_path: Path) -> None:
    """It is killed when the time is up, and the exit status is 0."""
    with running_server(tmp_path, "httpsys.TLS=0", "apppool.MaxProcesses=2") as server:
        until(lambda: server.events().count("worker_serving") == 2)
        os.kill(server.workers[0], signal.SIGSTOP)
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert [Path(f"/proc/{pid}").exists() for pid in server.workers] == [False, False]
        killed = [event.worker for event in events(server) if event.name == "worker_killed"]
        assert killed == [server.workers[0]]


@pytest.mark.parametrize("alone", [0, 1])
def test_an_iisreset_gets_rid_of_a_hung_worker(tmp_path: Path, alone: int) -> None:
    """It leaves no trace in the pool that is started again, whose limits are all its own."""
    limits = ("apppool.ShutdownTimeLimit=0.1", f"apppool.DisallowOverlappingRotation={alone}")
    with running_server(tmp_path, "httpsys.TLS=0", *limits) as server:
        server.control("POST", "/set/apppool.ShutdownTimeLimit=2")
        until(lambda: in_state(server, "serving") not in (server.workers, []))
        (worker,) = in_state(server, "serving")
        os.kill(worker, signal.SIGSTOP)
        server.control("POST", "/iisreset")
        assert server.ask().status == 200
        assert not Path(f"/proc/{worker}").exists()
        assert worker in [e.worker for e in events(server) if e.name == "worker_killed"]


# Not to be had.


@pytest.fixture
def another_user() -> Iterator[tuple[list[str], Path]]:
    """Give what runs a command as a user without other processes, and a directory of theirs.

    The user may read every file, wherever this tree and its Python are.
    """
    if os.geteuid() != 0:
        pytest.skip("needs root: RLIMIT_NPROC counts a user's processes, and root's it does not")
    user = 54000 + os.getpid() % 1000
    files = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    through = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *files]
    try:
        subprocess.run([*through, sys.executable, "-c", ""], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"setpriv cannot run Python as another user here: {error}")
    with tempfile.TemporaryDirectory() as directory:
        os.chown(directory, user, user)
        yield through, Path(directory)


def limit(server: Server, limit: str, through: Sequence[str] = ()) -> None:
    """Change a limit of the front process, as ``nproc=1``: as its own user, who may."""
    subprocess.run([*through, "prlimit", f"--pid={server.pid}", f"--{limit}:"], check=True)


def not_started(server: Server) -> int:
    """Count the starts that failed because no process could be made."""
    return sum("could not be started" in (event.detail or "") for event in events(server))


def test_without_processes_the_pool_waits_until_there_are_some(
    another_user: tuple[list[str], Path],
) -> None:
    """Fork fails with EAGAIN: requests wait, and no failure of a worker is counted for that."""
    settings = ("httpsys.TLS=0", "apppool.RapidFailProtectionMaxCrashes=2")
    through, directory = another_user
    tls = f"--tls-dir={directory / 'tls'}"
    with running_server(directory, tls, *settings, through=through) as server:
        before = descriptors(server)
        with contextlib.closing(server.connect()) as connection:
            limit(server, "nproc=1", through)
            os.kill(server.workers[0], signal.SIGKILL)
            until(lambda: children(server.pid) == [])
            connection.request("GET", STATUS)
            wait_for_counts(server, held=0, waiting=1)
            until(lambda: not_started(server) >= 3)
            limit(server, f"nproc={MANY}", through)
            assert connection.getresponse().status == 200
        until(lambda: descriptors(server) == before)
        assert len(children(server.pid)) == 1
        assert [e.event_id for e in events(server) if e.event_id] == [1009]


def test_without_descriptors_the_pool_waits_until_there_are_some(tmp_path: Path) -> None:
    """However many are missing for a start, it leaks none, and the next one succeeds."""
    settings = ("httpsys.TLS=0", "apppool.RapidFailProtection=0")
    with (
        running_server(tmp_path, *settings) as server,
        contextlib.closing(server.connect()) as connection,
    ):
        connection.request("GET", STATUS)
        assert connection.getresponse().read()
        before = descriptors(server)
        failed = []
        for free in range(3, 12):
            (worker,) = children(server.pid)
            limit(server, f"nofile={before.total() - 4 + free}")
            failed.append(start_fails(server, worker))
            limit(server, f"nofile={MANY}")
            assert ask_again(connection) == 200
            until(lambda: descriptors(server) == before)
        assert sorted(failed, reverse=True) == failed, failed
        assert (failed[0], failed[-1]) == (True, False)


def start_fails(server: Server, worker: int) -> bool:
    """Kill the only worker; tell whether the next one cannot be started at once."""
    failures, served = not_started(server), server.events().count("worker_serving")
    os.kill(worker, signal.SIGKILL)
    until(
        lambda: not_started(server) > failures or server.events().count("worker_serving") > served
    )
    return not_started(server) > failures


def ask_again(connection: http.client.HTTPConnection) -> int:
    """Send another request on a kept connection, and give the status of its answer."""
    connection.request("GET", STATUS)
    with connection.getresponse() as response:
        assert response.read()
        return response.status
