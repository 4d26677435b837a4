"""The command of a worker process."""

from pathlib import Path

import pytest

from vaultstorm_server.frames import bound
from vaultstorm_server.settings import HttpSys, Settings, Vault
from vaultstorm_server.w3svc.command import frame_max, worker_command
from vaultstorm_server.w3svc.process import CHANNEL
from vaultstorm_server.w3wp.__main__ import parse


@pytest.mark.parametrize("journal, named", [(None, ""), (Path("/j"), "/j")])
def test_a_worker_reads_what_its_command_says(journal: Path | None, named: str) -> None:
    """Every setting of the vault arrives, whatever characters are in it."""
    vault = Vault(TECH39579=1, Directory='/a "b"\né', DiskRate=3, CorruptionCrash=0.5)
    command = worker_command(Settings(vault=vault), journal)
    arguments = ["7" if word == CHANNEL else word for word in command[3:]]
    arguments[arguments.index("--number") + 1] = "2"
    options, read = parse(arguments)
    assert read == vault
    assert (options.channel, options.number, options.journal) == (7, 2, named)
    assert options.frame_max == frame_max(HttpSys())


def test_a_frame_holds_a_request_of_the_limits() -> None:
    """Both of them count."""
    http = HttpSys(MaxRequestBytes=256, MaxRequestEntityAllowed=1000)
    assert frame_max(http) == bound(256, 1000)
