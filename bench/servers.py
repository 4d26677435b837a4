"""The Python servers that are compared: our own, uvicorn with h11, and hypercorn, all on uvloop."""

import contextlib
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from bench.certificate import Certificate
from bench.children import PYTHON, BenchError, Child, free_port, wait_until_it_listens
from bench.https import Answer, ask, connect, context
from bench.procfs import descendants
from bench.uvicorn_app import ANSWER_FILE

PATH: Final = "/AeXRSVault/status"
_START_S: Final = 60.0


class Server(NamedTuple):
    """A running one."""

    port: int
    front: int
    """The process that has the connections."""
    pids: list[int]
    """It, and those that work for it."""
    child: Child
    admin: str = ""
    """Its control plane, if it has one."""


@contextlib.contextmanager
def vaultstorm(folder: Path, certificate: Certificate, *options: str) -> Iterator[Server]:
    """Run ``vaultstorm serve`` with a backlog that nothing here overruns.

    Args:
        folder: for its files.
        certificate: to show.
        options: more of the command line.
    """
    port = free_port()
    home = folder / "vaultstorm"
    home.mkdir(exist_ok=True)
    argv = [PYTHON, "-m", "vaultstorm", "serve", "--port", str(port), "--admin-port", "0"]
    argv += ["--no-rpc"]
    argv += ["--backlog", "4096", "--set", "afd.MaximumStaticBacklog=65535"]
    argv += ["--cert", str(certificate.chain), "--key", str(certificate.key)]
    argv += ["--set", f"httpsys.ErrorLoggingDir={home}", *options]
    with Child(argv) as child:
        front, admin = _ready(child.line(_START_S))
        yield Server(port, front, [child.pid, *descendants(child.pid)], child, admin)


@contextlib.contextmanager
def vaultstorm_rpc(folder: Path, *options: str) -> Iterator[Server]:
    """Run our server; its `port` is that of its resolver."""
    argv = [PYTHON, "-m", "vaultstorm", "serve", "--port=0", "--admin-port=0", "--rpc-port=0"]
    argv += [f"--tls-dir={folder}", "--no-tls", *options]
    with Child(argv) as child:
        ready = json.loads(child.line(_START_S))
        port = int(ready["rpc"].rpartition(":")[2])
        yield Server(port, int(ready["pid"]), [child.pid, *descendants(child.pid)], child)


@contextlib.contextmanager
def uvicorn(folder: Path, certificate: Certificate, answer: Answer) -> Iterator[Server]:
    """Run uvicorn with an application that gives the same answer as ours."""
    port = free_port()
    copy, without = _copy(folder, answer)
    argv = [
        PYTHON,
        "-m",
        "uvicorn",
        "--factory",
        "bench.uvicorn_app:make",
        "--http",
        "h11",
        "--loop",
        "uvloop",
    ]
    argv += ["--host", "127.0.0.1", "--port", str(port), "--backlog", "4096", "--lifespan", "off"]
    argv += ["--no-access-log", "--log-level", "warning", "--timeout-keep-alive", "600"]
    argv += ["--ssl-certfile", str(certificate.chain), "--ssl-keyfile", str(certificate.key)]
    argv += [f"--no-{name}-header" for name in without]
    with Child(argv, env={ANSWER_FILE: str(copy)}) as child:
        wait_until_it_listens(port, child)
        yield Server(port, child.pid, [child.pid, *descendants(child.pid)], child)


@contextlib.contextmanager
def hypercorn(folder: Path, certificate: Certificate, answer: Answer) -> Iterator[Server]:
    """Run hypercorn with the same application, in one process.

    Raises:
        BenchError: it is not installed, or does not start.
    """
    if importlib.util.find_spec("hypercorn") is None:
        raise BenchError("hypercorn is not installed")
    port = free_port()
    copy, without = _copy(folder, answer)
    configuration = folder / "hypercorn.toml"
    configuration.write_text(
        f"include_date_header = {str('date' not in without).lower()}\n"
        f"include_server_header = {str('server' not in without).lower()}\n"
        "backlog = 4096\nkeep_alive_timeout = 600\nkeep_alive_max_requests = 100000000\n"
        'worker_class = "uvloop"\nworkers = 0\nalpn_protocols = ["http/1.1"]\n'
    )
    argv = [PYTHON, "-m", "hypercorn", "--config", str(configuration), "bench.uvicorn_app:make()"]
    argv += ["--bind", f"127.0.0.1:{port}", "--log-level", "WARNING"]
    argv += ["--certfile", str(certificate.chain), "--keyfile", str(certificate.key)]
    with Child(argv, env={ANSWER_FILE: str(copy)}) as child:
        wait_until_it_listens(port, child)
        yield Server(port, child.pid, [child.pid, *descendants(child.pid)], child)


def _copy(folder: Path, answer: Answer) -> tuple[Path, list[str]]:
    """Write the answer down for a peer; give the file, and what the peer must not add itself."""
    copy = folder / "answer.json"
    names = {name.lower() for name, _ in answer.headers}
    own = ("date", "server")
    headers = [(name, value) for name, value in answer.headers if name.lower() not in own]
    copy.write_text(
        json.dumps(
            {"status": answer.status, "headers": headers, "body": answer.body.decode("latin-1")}
        )
    )
    return copy, [name for name in own if name not in names]


def answer_of(port: int, path: str = PATH) -> Answer:
    """Ask a server once.

    Raises:
        BenchError: it does not answer with 200.
    """
    try:
        with connect(port, context()) as connection:
            answer = ask(connection, path)
    except (OSError, ValueError) as error:
        raise BenchError(f"no answer from port {port}: {error}") from error
    if answer.status != 200:
        raise BenchError(f"{path} was answered with {answer.status}")
    return answer


def _ready(line: str) -> tuple[int, str]:
    """Give the pid and the control plane of the ready line."""
    try:
        ready = json.loads(line)
        if ready["event"] != "ready":
            raise ValueError(line)
        return int(ready["pid"]), str(ready["admin"])
    except (ValueError, KeyError, TypeError) as error:
        raise BenchError(f"vaultstorm serve: not a ready line: {line!r}") from error
