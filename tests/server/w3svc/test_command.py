"""The command of a worker process."""

from pathlib import Path

import pytest

from vaultstorm_server.frames import bound
from vaultstorm_server.settings import AppPool, HttpSys, Settings, Vault
from vaultstorm_server.w3svc.command import frame_max, worker_command, worker_vault
from vaultstorm_server.w3svc.process import CHANNEL
from vaultstorm_server.w3wp.__main__ import parse


@pytest.mark.parametrize("journal, named", [(None, ""), (Path("/j"), "/j")])
def test_a_worker_reads_what_its_command_says(journal: Path | None, named: str) -> None:
    """Every setting of the vault arrives, whatever characters are in it."""
    vault = Vault(TECH39579=1, Directory='/a "b"\né', DiskRate=3, CorruptionCrash=0.5)
    command = worker_command(Settings(vault=vault), journal)
    arguments = ["7" if word == CHANNEL else word for word in command]
    arguments = arguments[arguments.index("--channel") :]
    arguments[arguments.index("--number") + 1] = "2"
    options, read = parse(arguments)
    assert read == vault
    assert (options.channel, options.number, options.journal) == (7, 2, named)
    assert options.frame_max == frame_max(HttpSys())


def test_a_frame_holds_a_request_of_the_limits() -> None:
    """Both of them count."""
    http = HttpSys(MaxRequestBytes=256, MaxRequestEntityAllowed=1000)
    assert frame_max(http) == bound(256, 1000)


@pytest.mark.parametrize("receives, threads", [(1, 1), (4, 4), (5, 5), (6, 5)])
def test_no_more_threads_than_requests_reach_a_worker(receives: int, threads: int) -> None:
    """The worker is told as many as can all be held at once; nothing else is changed."""
    vault = Vault(IsapiThreads=5, DiskRate=3)
    settings = Settings(vault=vault, apppool=AppPool(PendingReceives=receives))
    assert worker_vault(settings) == Vault(IsapiThreads=threads, DiskRate=3)
    command = worker_command(settings, None)
    assert f'"IsapiThreads":{threads}' in command[command.index("--vault") + 1]
