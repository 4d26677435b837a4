"""What came of one variant: its figures, held to what the scenario expects of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from vaultstorm import acknowledged, burst_load, client_load, expectation, reconcile
from vaultstorm.foreign.server import WROTE
from vaultstorm.run_directory import has_content
from vaultstorm.scenario import Scenario, Variant

_OURS: Final = {"server": "vaultstorm", "client": "burst"}
_FOREIGN: Final = "foreign"
_DOUBTFUL: Final = ("executed_twice", "given_up")
"""What cannot be said of a client whose requests are alike."""
_NO_LATENCY: Final = dict.fromkeys(("connect", "tls", "bind", "response", "total"))
_KEPT: Final = (
    *("attempts", "ok", "lost", "outcomes", "causes", "verdicts", "unexplained", "gaps"),
    *("events", "reused", "retries", "latency_ms", "seed", "duration_s"),
    *("vault", "acknowledged", "interfaces", "threads_held"),
    *("rpc", "rpc_errors", "lost_after_action", "client"),
)


def has_ended(directory: Path) -> bool:
    """Tell whether a variant's load has come to say how it ended."""
    return any(has_content(directory / name) for name in (burst_load.RESULT, client_load.RESULT))


def record(scenario: Scenario, variant: Variant, directory: Path) -> reconcile.Variant:
    """Name what the records of a variant are joined by."""
    foreign = scenario.served_by(variant) is not None
    vault = None
    if not foreign:
        vault = acknowledged.directory(scenario.settings(variant), directory)
    return reconcile.Variant(
        variant.name,
        variant.title,
        variant.options,
        vault,
        server=_FOREIGN if foreign else _OURS["server"],
        client=_FOREIGN if has_content(directory / client_load.RESULT) else _OURS["client"],
    )


def result(
    variant: Variant,
    record: reconcile.Variant,
    directory: Path,
    summary: Mapping[str, Any],
    failures: Sequence[str],
) -> dict[str, Any]:
    """Give what `run --json` says of a variant.

    Args:
        variant: as the scenario has it.
        record: what its records were joined by.
        directory: of the variant.
        summary: what reconcile has found.
        failures: what went otherwise than the scenario says.
    """
    burst, client = (_read(directory / name) for name in (burst_load.RESULT, client_load.RESULT))
    figures = {"latency_ms": _NO_LATENCY, **burst, **summary}
    checks = [
        expectation.check(text, figures) for text in _expected(variant, figures, bool(client))
    ]
    checks += [
        {"check": "runs as it is written", "actual": failure, "passed": False}
        for failure in failures
    ]
    findings = acknowledged.findings(figures, record.vault) if record.vault is not None else []
    return {
        "title": variant.title,
        "passed": all(check["passed"] for check in checks) and not findings,
        "server": record.server,
        "version": _read(directory / WROTE).get("version"),
        **{key: figures.get(key) for key in _KEPT},
        "notes": client.get("notes", []),
        "options": variant.options,
        "expectations": checks,
        "findings": findings,
    }


def _expected(variant: Variant, figures: Mapping[str, Any], client: bool) -> Sequence[str]:
    """Give the checks of a variant: what a scenario expects of our load, no other client can meet.

    What could not be measured of a client is shown so, and not checked.
    """
    if not client:
        return variant.expect
    told = figures.get("client") or {}
    unknown = [f"client.{name} " for name in _DOUBTFUL if told.get(name) is None]
    return [check for check in client_load.CHECKS if not check.startswith(tuple(unknown))]


def _read(path: Path) -> dict[str, Any]:
    """Read a JSON file; empty if there is none."""
    try:
        read: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        return {}
    return read
