"""The command that starts a worker process."""

from pathlib import Path

import msgspec

from vaultstorm_server import frames
from vaultstorm_server.settings import HttpSys, Settings
from vaultstorm_server.w3svc.process import CHANNEL, NUMBER, module_command


def frame_max(http: HttpSys) -> int:
    """Give the longest frame that front process and worker send each other."""
    return frames.bound(http.MaxRequestBytes, http.MaxRequestEntityAllowed)


def worker_command(settings: Settings, journal: Path | None) -> list[str]:
    """Write the command of a worker that has the vault of `settings`.

    Args:
        settings: of the whole server, `vault.Directory` filled in.
        journal: where the worker keeps its journal.
    """
    return module_command(
        "vaultstorm_server.w3wp",
        *("--channel", CHANNEL),
        *("--number", NUMBER),
        *("--journal", str(journal or "")),
        *("--frame-max", str(frame_max(settings.httpsys))),
        *("--vault", msgspec.json.encode(settings.vault).decode()),
    )
