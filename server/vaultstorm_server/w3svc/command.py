"""The command that starts a worker process."""

from pathlib import Path

import msgspec
from msgspec.structs import replace

from vaultstorm_server import frames, interpreter
from vaultstorm_server.settings import HttpSys, Settings, Vault
from vaultstorm_server.w3svc.process import CHANNEL, NUMBER


def frame_max(http: HttpSys) -> int:
    """Give the longest frame that front process and worker send each other."""
    return frames.bound(http.MaxRequestBytes, http.MaxRequestEntityAllowed)


def worker_vault(settings: Settings) -> Vault:
    """Give the settings of a worker's vault, with no more threads than requests that reach it.

    A worker holds PendingReceives requests at most: a thread beyond them would stay free for ever,
    and neither the worker nor a ping could notice that all the others hang.
    """
    threads = min(settings.vault.IsapiThreads, settings.apppool.PendingReceives)
    return replace(settings.vault, IsapiThreads=threads)


def worker_command(settings: Settings, journal: Path | None) -> list[str]:
    """Write the command of a worker that has the vault of `settings`.

    Args:
        settings: of the whole server, `vault.Directory` filled in.
        journal: where the worker keeps its journal.
    """
    return interpreter.command(
        "vaultstorm_server.w3wp.start",
        *("--channel", CHANNEL),
        *("--number", NUMBER),
        *("--journal", str(journal or "")),
        *("--frame-max", str(frame_max(settings.httpsys))),
        *("--vault", msgspec.json.encode(worker_vault(settings)).decode()),
    )
