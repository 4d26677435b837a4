"""Run the container demonstration for real, and check that it shows what it promises.

    containers/compose-test

Docker Compose does it if a Docker engine answers, Podman with podman-compose otherwise; as root on
Debian what is missing is installed. Where there is neither, that is said, and the exit code is 0;
otherwise 0 means that everything held. What is made is removed again, but for what makes the next
run quick, which is in one folder: VAULTSTORM_CONTAINERS, or vaultstorm-containers in the user's
cache.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from containers.commands import Failed
from containers.engine import Engine, docker
from containers.podman import podman
from containers.profiles import Demonstration

# The exit code of the client, and so of `up --exit-code-from client`: 1 if a request was lost.
PROFILES = {"broken": 1, "workaround": 0, "fixed": 0}


def main() -> int:
    """Run the test."""
    began = time.monotonic()

    def say(text: str) -> None:
        sys.stdout.write(f"[{time.monotonic() - began:5.1f} s] {text}\n")
        sys.stdout.flush()

    try:
        folder = _folder()
        say(f"looking for an engine; what Podman needs is kept in {folder}")
        engine = docker() or podman(folder, say)
        if engine is None:
            say("skipped: no Docker engine answers, and Podman is not here nor can be installed")
            return 0
        reports = Path(tempfile.mkdtemp(prefix="vaultstorm-reports-"))
        _demonstrate(engine, reports, say)
    except Failed as error:
        say(f"FAILED: {error}")
        return 1
    say("the containers show what they promise")
    return 0


def _demonstrate(engine: Engine, reports: Path, say: Callable[[str], None]) -> None:
    reports.chmod(0o777)  # whatever the engine makes of the container's user
    demonstration = Demonstration(engine, reports)
    try:
        say(f"{engine.name}: building the image")
        demonstration.build()
        say("the service: not root, port 443, healthy")
        demonstration.check_service()
        for profile, code in PROFILES.items():
            say(f"{profile}: {demonstration.check_profile(profile, code)}")
        demonstration.check_report(list(PROFILES))
        demonstration.clear_reports()
    except Failed:
        say(f"what came of it: {reports}")
        raise
    finally:
        demonstration.remove_image()
    reports.rmdir()


def _folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get("VAULTSTORM_CONTAINERS") or Path(cache, "vaultstorm-containers"))
    return folder.absolute()


if __name__ == "__main__":
    raise SystemExit(main())
