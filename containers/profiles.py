"""The demonstration as it runs: one profile after the other, and what has to be there then."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from containers.commands import Ended, Failed, attempt, run
from containers.engine import IMAGE, Engine

ROOT = Path(__file__).parent.parent
PROJECT = "vaultstorm-test"
HEALTHY_IN = 60.0
ATTEMPTS = 2000
USER = "1000"

LISTENING = ":01BB 00000000:0000 0A"
"""Port 443, from anywhere, in the state LISTEN, as /proc/net/tcp has it."""


class Demonstration:
    """docker-compose.yml with an engine.

    Args:
        engine: that runs it.
        reports: the mounted folder.
    """

    def __init__(self, engine: Engine, reports: Path) -> None:
        self._engine = engine
        self._reports = reports

    def build(self) -> None:
        """Build the image."""
        command = [*self._engine.build, *self._project(), "build", *self._engine.build_options]
        run([*command, "server"], self._env("fixed"), timeout=900)

    def check_service(self) -> None:
        """Start the server alone: it is not root, serves on port 443, and is healthy."""
        with self._profile("fixed"):
            self._compose("fixed", "up", "--detach", "server")
            server = self._container("server")
            self._wait_until_healthy(server)
            inside = [*self._engine.tool, "exec", server]
            _same("its user", run([*inside, "id", "-u"], self._engine.env).strip(), USER)
            status = run([*inside, "cat", "/proc/1/status"], self._engine.env)
            _same("its capabilities", int(status.split("CapEff:")[1].split()[0], 16), 0)
            ports = run([*inside, "cat", "/proc/net/tcp"], self._engine.env)
            _true("it listens on port 443", LISTENING in " ".join(ports.split()))
            run([*inside, "vaultstorm", "ctl", "status"], self._engine.env)

    def check_profile(self, profile: str, code: int) -> str:
        """Run a profile to its end, and give what it showed in a few words. Raises Failed."""
        with self._profile(profile):
            ended = self._attempt(profile, "up", "--exit-code-from", "client")
            if ended.code != code:
                raise Failed(f"exit code {ended.code}, not {code}:\n{ended.output}")
        folder = self._reports / profile
        burst = json.loads((folder / "burst.json").read_text())
        _same("attempts", burst["attempts"], ATTEMPTS)
        _true("requests are lost, or none is", (burst["lost"] > 0) == (code == 1))
        for role in ("client", "front", "worker"):
            _true(f"there is a journal of {role}", any(folder.glob(f"journal/{role}-*.ndjson")))
        variant = self._run()["variants"][profile]
        failed = [check for check in variant["expectations"] if not check["passed"]]
        _same("what is not as expected", failed, [])
        causes = ", ".join(f"{count} {name}" for name, count in variant["causes"].items())
        return f"exit code {code}, {burst['lost']} of {ATTEMPTS} lost{causes and f': {causes}'}"

    def check_report(self, profiles: Sequence[str]) -> None:
        """Look for every profile in the one report."""
        result = self._run()
        _same("the profiles in run.json", list(result["variants"]), list(profiles))
        _same("contradictions", result["violations"], [])
        _true("the run has passed", result["passed"])
        page = (self._reports / "report.html").read_text()
        for profile in profiles:
            _true(f"report.html tells of {profile}", page.count(f">{profile}<") > 0)

    def clear_reports(self) -> None:
        """Empty the mounted folder as the engine's root: its files belong to another user."""
        mount = f"--volume={self._reports}:/reports:z"
        clear = ["--entrypoint=sh", IMAGE, "-c", "rm -rf /reports/*"]
        run([*self._engine.tool, "run", "--rm", "--user=0", mount, *clear], self._engine.env)

    def remove_image(self) -> None:
        """Remove the image, if there is one."""
        attempt([*self._engine.tool, "image", "rm", "--force", IMAGE], self._engine.env)

    @contextmanager
    def _profile(self, profile: str) -> Iterator[None]:
        """Remove a profile's containers, network and volume, whatever became of them."""
        try:
            yield
        finally:
            self._attempt(profile, "down", "--volumes")
        left = [self._containers(), *(self._list(what) for what in ("network", "volume"))]
        _same("what `down --volumes` has left", [name for names in left for name in names], [])

    def _compose(self, profile: str, *arguments: str) -> str:
        command = [*self._engine.compose, *self._project(), *arguments]
        return run(command, self._env(profile))

    def _attempt(self, profile: str, *arguments: str) -> Ended:
        command = [*self._engine.compose, *self._project(), *arguments]
        return attempt(command, self._env(profile))

    def _project(self) -> list[str]:
        return ["--file", str(ROOT / "docker-compose.yml"), "--project-name", PROJECT]

    def _env(self, profile: str) -> dict[str, str]:
        chosen = {"COMPOSE_PROFILES": profile, "VAULTSTORM_REPORTS": str(self._reports)}
        return {**self._engine.env, **chosen}

    def _container(self, service: str) -> str:
        (found,) = self._containers(f"--filter=label=com.docker.compose.service={service}")
        return found

    def _containers(self, *filters: str) -> list[str]:
        project = f"--filter=label=com.docker.compose.project={PROJECT}"
        listing = [*self._engine.tool, "ps", "--all", "--quiet", project, *filters]
        return run(listing, self._engine.env).split()

    def _list(self, what: str) -> list[str]:
        names = run([*self._engine.tool, what, "ls", "--format={{.Name}}"], self._engine.env)
        return [name for name in names.split() if name.startswith(PROJECT)]

    def _wait_until_healthy(self, container: str) -> None:
        health = ["inspect", "--format={{.State.Health.Status}}", container]
        deadline = time.monotonic() + HEALTHY_IN
        while (status := run([*self._engine.tool, *health], self._engine.env).strip()) != "healthy":
            if time.monotonic() > deadline:
                logs = run([*self._engine.tool, "logs", container], self._engine.env)
                raise Failed(f"the server is {status} after {HEALTHY_IN:.0f} s:\n{logs}")
            if not self._engine.keeps_time:
                attempt([*self._engine.tool, "healthcheck", "run", container], self._engine.env)
            time.sleep(0.2)

    def _run(self) -> dict[str, Any]:
        result: dict[str, Any] = json.loads((self._reports / "run.json").read_text())
        return result


def _same(what: str, actual: object, wanted: object) -> None:
    if actual != wanted:
        raise Failed(f"{what}: {actual!r}, not {wanted!r}")


def _true(what: str, holds: bool) -> None:
    if not holds:
        raise Failed(f"this does not hold: {what}")
