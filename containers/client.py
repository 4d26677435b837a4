"""The client's container: fire a burst at the server, join both sides' journals, write the report.

    python client.py PROFILE

Exit code 0 if nothing was lost, 1 if something was; others as `vaultstorm` has them. The load has
both articles in it: 100 clients that connect at once (KB960007) keep their connections from request
to request while the worker processes are recycled (KB908739).
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from vaultstorm import expectation, reconcile, report
from vaultstorm_wire.errors import VaultstormError

REPORTS = Path("/reports")
CA = Path("/tls/ca.pem")
SERVER = "https://server"
HEALTHCHECK = Path("/opt/vaultstorm/healthcheck.py")
LOAD = ("--clients=100", "--requests=20", "--think=50ms", "--seed=960007")
PATIENCE = 60.0
"""Seconds in which the server has to come up. An engine that cannot wait for a service to be
healthy, as Podman before 4.6, starts us together with it."""

SETTLING = 10.0
"""Seconds in which the server's journals have to be whole. It runs on: a worker process that is
just being started has none yet."""

BUG = 4
INTERRUPTED = 130


class Profile(NamedTuple):
    """What the report says of a profile, and what is expected of it."""

    title: str
    expect: tuple[str, ...]


PROFILES = {
    "broken": Profile(
        "backlog 10, recycled every 500 requests",
        (
            "lost > 0",
            "causes.backlog_full > 0",
            "causes.Connection_Abandoned_By_AppPool > 0",
            "verdicts.never == lost",
            "unexplained == 0",
        ),
    ),
    "workaround": Profile(
        "backlog 50 with the AFD values, no keep-alive",
        ("lost == 0", "reused.attempts == 0", "verdicts.once == attempts", "events.recycle > 0"),
    ),
    "fixed": Profile(
        "backlog 100, and the http.sys hotfix",
        ("lost == 0", "reused.attempts > 0", "verdicts.once == attempts", "events.recycle > 0"),
    ),
}


def main(profile: str = "") -> int:
    """Run the demonstration's client."""
    if profile not in PROFILES:
        sys.stderr.write(f"no such profile: {profile!r}: write {', '.join(PROFILES)}\n")
        return 2
    if not _wait():
        sys.stderr.write(f"{SERVER} has not come up in {PATIENCE:.0f} s; its own log says why\n")
        return 3
    status = _burst(REPORTS / profile)
    if status > 1:
        return status
    result = _join()
    deadline = time.monotonic() + SETTLING
    while result["variants"][profile]["gaps"] and time.monotonic() < deadline:
        time.sleep(0.2)
        result = _join()
    report.write(REPORTS)
    sys.stdout.write("\n".join(["", *_told(profile, result), ""]))
    return BUG if result["violations"] else status


def _wait() -> bool:
    """Wait until the server serves: it is asked as its own health check asks."""
    deadline = time.monotonic() + PATIENCE
    check = [sys.executable, "-I", str(HEALTHCHECK), SERVER, str(CA)]
    while subprocess.run(check, capture_output=True, check=False).returncode != 0:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def _burst(directory: Path) -> int:
    """Fire the load; its journal stands beside the server's."""
    command = [
        *(sys.executable, "-m", "vaultstorm", "burst", SERVER, f"--ca={CA}"),
        *(*LOAD, "--fail-on=lost>0"),
        *(f"--journal={directory / 'journal'}", f"--json={directory / 'burst.json'}"),
    ]
    return subprocess.run(command, check=False).returncode


def _join() -> dict[str, Any]:
    """Join the journals of every profile that has run, for one report of them all."""
    ran = [name for name in PROFILES if (REPORTS / name / "burst.json").is_file()]
    violations = reconcile.reconcile(
        REPORTS, [reconcile.Variant(name, PROFILES[name].title) for name in ran]
    )
    with reconcile.existing(REPORTS) as db:
        variants = {name: _variant(name, reconcile.summarise(db, name)) for name in ran}
    result = {
        "schema": 1,
        "scenario": "containers",
        "title": "A burst and recycles, from container to container",
        "article": "KB960007, KB908739",
        "breaks": "100 clients connect at once to a server whose application asked listen() for "
        "10, and keep their connections while its worker processes are recycled.",
        "fixes": "A longer backlog, and the http.sys hotfix. Without it: the AFD values for a "
        "listener that asks for more than their Minimum, and no keep-alive.",
        "passed": not violations and all(variant["passed"] for variant in variants.values()),
        "cut": None,
        "variants": variants,
        "violations": [violation._asdict() for violation in violations],
        "out": str(REPORTS),
    }
    (REPORTS / "run.json").write_text(json.dumps(result, indent=2))
    return result


def _variant(name: str, joined: Mapping[str, Any]) -> dict[str, Any]:
    """Put together what the burst and the joined journals say of a profile."""
    summary = {**json.loads((REPORTS / name / "burst.json").read_text()), **joined}
    checks = [expectation.check(text, summary) for text in PROFILES[name].expect]
    return {
        **summary,
        "title": PROFILES[name].title,
        "options": {},
        "passed": all(check["passed"] for check in checks),
        "expectations": checks,
        "findings": [],
    }


def _told(profile: str, result: Mapping[str, Any]) -> list[str]:
    """Say what the joined journals show beyond what the client alone can know."""
    variant = result["variants"][profile]
    lines = [
        f"what caused it:  {_counts(variant['causes'])}",
        f"did it execute:  {_counts(variant['verdicts'])}",
        f"report of:       {', '.join(result['variants'])}: report.html in the mounted folder",
    ]
    lines += [
        f"not as expected: {check['check']}, actual {check['actual']}"
        for check in variant["expectations"]
        if not check["passed"]
    ]
    lines += [f"a bug of ours:   {violation}" for violation in result["violations"]]
    return lines


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "-"


if __name__ == "__main__":
    # The first process of a container is not ended by a signal that it does not handle.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        raise SystemExit(main(*sys.argv[1:2]))
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except VaultstormError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(error.exit_code) from error
