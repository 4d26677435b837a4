"""(l) Which client programs survive which defect, as they are set by default."""

import importlib.metadata
import platform
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench import pages
from bench.children import PYTHON, ROOT
from bench.lab import Played, note
from bench.result import Column, Measurement, Row
from bench.setup import Setup

NAME: Final = "clients"
PAGE: Final = ROOT / "docs" / "tasks" / "client-retries.md"
SCENARIO: Final = "client-retries"
METHODS: Final = ("GET", "POST")
_BETWEEN: Final = " | "
_SAID: Final = re.compile(r"^(\d+) succeeded, (\d+) failed", re.MULTILINE)


class Program(NamedTuple):
    """One client program.

    Attributes:
        name: what it is called in the table.
        module: in `bench.clients`.
        package: whose version it has; None for Python's own or curl's.
        options: what it is given besides.
    """

    name: str
    module: str
    package: str | None = None
    options: tuple[str, ...] = ()

    def version(self) -> str | None:
        """Name it with its version; None if it is not installed."""
        if self.package is not None:
            try:
                number = importlib.metadata.version(self.package)
            except importlib.metadata.PackageNotFoundError:
                return None
        elif self.module == "with_curl":
            if shutil.which("curl") is None:
                return None
            said = subprocess.run(["curl", "--version"], capture_output=True, check=True)
            number = said.stdout.decode().split()[1]
        else:
            number = platform.python_version()
        return " ".join([self.name, number, *self.options])


PROGRAMS: Final = (
    Program("curl", "with_curl"),
    Program("curl", "with_curl", options=("--retry", "3")),
    Program("curl", "with_curl", options=("--retry", "3", "--max-time", "5")),
    Program("Python's http.client", "with_http_client"),
    Program("urllib3", "with_urllib3", "urllib3"),
    Program("requests", "with_requests", "requests"),
    Program("httpx", "with_httpx", "httpx"),
    Program("aiohttp", "with_aiohttp", "aiohttp"),
)
COLUMNS: Final = (
    Column("failed", "failed", 0),
    Column("given_up", "given up", 0),
    Column("again", "sent again", 0),
    Column("twice", "executed twice", 0),
    Column("turned_away", "connections turned away", 0),
    Column("seconds", "s"),
)


def measure(setup: Setup) -> Measurement:
    """Run the scenario once for every program and method."""
    requests = setup.size(400, 80)
    result = Measurement(
        NAME, f"{requests} requests, 8 at once, 20 in a second each", list(COLUMNS)
    )
    for program in PROGRAMS:
        version = program.version()
        if version is None:
            result.notes.append(f"{program.name} is not installed")
            continue
        for method in METHODS:
            folder = setup.folder / NAME / re.sub(r"\W+", "-", f"{version} {method}")
            command = [PYTHON, "-m", f"bench.clients.{program.module}", "{url}"]
            command += [f"--method={method}", f"--requests={requests}", *program.options]
            client = f"--client={shlex.join(command)}"
            played = note(result, f"{version}, {method}", folder, SCENARIO, client)
            if played is None:
                continue
            for variant, told in played.variants.items():
                _add(result, (version, method, variant), told, played)
    return result


def _add(result: Measurement, names: tuple[str, ...], told: dict[str, Any], played: Played) -> None:
    seen = told["client"]
    row = result.row(_BETWEEN.join(names))
    row.add(
        given_up=seen["given_up"],
        again=seen["requests"]["repeated"],
        turned_away=seen["connections"]["turned_away"],
        seconds=seen["duration_s"],
    )
    if seen["executed_twice"] is not None:
        row.add(twice=seen["executed_twice"])
    failed = _failed(played.out / names[-1] / "client.log")
    if failed is None:
        row.note = "did not end"
    else:
        row.add(failed=failed)


def _failed(log: Path) -> int | None:
    """Read how many requests the program itself says have failed; None if it never came to that."""
    said = _SAID.search(log.read_text(encoding="utf-8", errors="replace"))
    return int(said[2]) if said else None


def markdown(result: Measurement) -> str:
    """Write a line for each program and method, and a column for each defect."""
    told = {tuple(row.subject.split(_BETWEEN, 2)): row for row in result.rows}
    variants = list(dict.fromkeys(variant for _, _, variant in told))
    rows = []
    for version, method in dict.fromkeys((version, method) for version, method, _ in told):
        cells = [told.get((version, method, variant)) for variant in variants]
        words = ["-" if row is None else _word(row) for row in cells]
        rows.append([version, method, *words])
    return pages.table(["client", "method", *variants], rows)


def _word(row: Row) -> str:
    """Say how a program fared: what it lost, what it had executed twice, what it sent again."""
    failed, twice, again = (row.value(key) for key in ("failed", "twice", "again"))
    if failed is None:
        return row.note
    found = []
    if failed:
        found.append(f"**{failed:.0f} failed**")
    if twice:
        found.append(f"**{twice:.0f} executed twice**")
    if again:
        found.append(f"{again:.0f} sent again")
    return ", ".join(found) or "all answered"
