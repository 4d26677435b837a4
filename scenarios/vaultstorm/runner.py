"""`vaultstorm run`: every variant of a scenario, one after the other, and what came of it."""

import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from vaultstorm import acknowledged, descriptors, expectation, variant_run
from vaultstorm.live import live
from vaultstorm.run_directory import RunDirectory, has_content, toml
from vaultstorm.scenario import SEED_MAX, Scenario, Variant
from vaultstorm.watch import Cut, Watch
from vaultstorm_wire.errors import MachineError

SCHEMA: Final = 1

FINE: Final = 0
FINDING: Final = 1
BUG: Final = 4
INTERRUPTED: Final = 130


class Options(NamedTuple):
    """How a scenario is run.

    Attributes:
        variants: names of those that are run; empty for all.
        out: the run directory; None for a new one.
        port: of every server; 0 for any that is free.
        seed: of every load; None for the scenario's.
    """

    variants: Sequence[str] = ()
    out: Path | None = None
    port: int = 0
    seed: int | None = None


class Outcome(NamedTuple):
    """What came of a run.

    Attributes:
        result: as ``--json`` shows it.
        status: the exit code.
        report: the file; None if no variant came to its end.
    """

    result: dict[str, Any]
    status: int
    report: Path | None


def run(scenario: Scenario, options: Options) -> Outcome:
    """Run a scenario; no process is left, whichever way this ends.

    Raises:
        UsageError: there is no such variant, or the run directory is in use.
        MachineError: the machine will not do it. The variants that had run before are still
            reconciled and reported, if it will do that.
    """
    variants = scenario.choose(options.variants)
    seed = _seed(options.seed, scenario)
    for variant in variants:
        plan, scheme = scenario.plan(variant, seed), scenario.scheme(variant)
        descriptors.provide(descriptors.needed(plan, scheme))
    directory = RunDirectory.create(options.out, scenario.name, time.time())
    directory.write("scenario.toml", scenario.source)
    failures: dict[str, list[str]] = {}
    with live() as show:
        with Watch(scenario.time_limit) as watch:
            try:
                with tempfile.TemporaryDirectory(prefix="vaultstorm-tls-") as tls:
                    for variant in variants:
                        watch.check()
                        place = _place(scenario, variant, directory, Path(tls), options.port, seed)
                        failures[variant.name] = variant_run.run(
                            scenario, variant, place, watch, show
                        )
            except Cut:
                pass  # `watch` knows why
            except MachineError as error:
                with suppress(MachineError):  # the first says more than what follows from it
                    done = [v for v in variants if v.name in failures]
                    _conclude(scenario, done, directory, failures, str(error), False)
                raise
            whole = len(failures) == len(variants) and not any(failures.values())
            cut = None if whole else watch.reason
        show(lambda: "joining both sides' records")
        return _conclude(scenario, variants, directory, failures, cut, watch.interrupted)


def _seed(given: int | None, scenario: Scenario) -> int:
    if given is not None:
        return given
    if scenario.seed is not None:
        return scenario.seed
    return int.from_bytes(os.urandom(8), "big") & SEED_MAX


def _place(
    scenario: Scenario, variant: Variant, directory: RunDirectory, tls: Path, port: int, seed: int
) -> variant_run.Place:
    path = directory.variant(variant.name)
    directory.write(f"{variant.name}/server.toml", toml(scenario.settings(variant)))
    return variant_run.Place(path, tls, port, seed)


def _vault(scenario: Scenario, variant: Variant, directory: RunDirectory) -> Path:
    return acknowledged.directory(scenario.settings(variant), directory.path / variant.name)


def _conclude(
    scenario: Scenario,
    variants: Sequence[Variant],
    directory: RunDirectory,
    failures: Mapping[str, list[str]],
    cut: str | None,
    interrupted: bool,
) -> Outcome:
    """Join the journals of what has run, hold it against the expectations, and write it all down.

    A variant that was cut short counts if its load could still say how its attempts ended.
    """
    from vaultstorm import reconcile, report

    ended = [v for v in variants if has_content(directory.path / v.name / "burst.json")]
    vaults = {v.name: _vault(scenario, v, directory) for v in ended}
    records = [reconcile.Variant(v.name, v.title, v.options, vaults[v.name]) for v in ended]
    violations = reconcile.reconcile(directory.path, records)
    with reconcile.existing(directory.path) as db:
        results = {
            variant.name: _variant_result(
                variant,
                {
                    **_burst(directory.path / variant.name / "burst.json"),
                    **reconcile.summarise(db, variant.name),
                },
                failures.get(variant.name, []),
                vaults[variant.name],
            )
            for variant in ended
        }
    for variant in scenario.variants:
        if variant.name not in results or acknowledged.whole(results[variant.name]):
            acknowledged.remove(directory.path / variant.name)
    passed = not violations and len(ended) == len(variants) and cut is None
    passed = passed and all(result["passed"] for result in results.values())
    result = {
        "schema": SCHEMA,
        "scenario": scenario.name,
        "title": scenario.title,
        "article": scenario.article,
        "breaks": scenario.breaks,
        "why": scenario.why,
        "fixes": scenario.fixes,
        "passed": passed,
        "cut": cut,
        "variants": results,
        "violations": [violation._asdict() for violation in violations],
        "out": str(directory.path),
    }
    directory.write_json("run.json", result)
    path = report.write(directory.path) if ended else None
    if interrupted:
        return Outcome(result, INTERRUPTED, path)
    status = BUG if violations else FINE if passed else FINDING
    return Outcome(result, status, path)


def _variant_result(
    variant: Variant, summary: Mapping[str, Any], failures: Sequence[str], vault: Path
) -> dict[str, Any]:
    checks = [expectation.check(text, summary) for text in variant.expect]
    checks += [
        {"check": "runs as it is written", "actual": failure, "passed": False}
        for failure in failures
    ]
    kept = ("attempts", "ok", "lost", "outcomes", "causes", "verdicts", "unexplained", "gaps")
    more = ("events", "reused", "retries", "latency_ms", "seed", "duration_s")
    of_vault = ("vault", "acknowledged", "interfaces", "threads_held")
    of_rpc = ("rpc", "rpc_errors")
    findings = acknowledged.findings(summary, vault)
    return {
        "title": variant.title,
        "passed": all(check["passed"] for check in checks) and not findings,
        **{key: summary.get(key) for key in (*kept, *more, *of_vault, *of_rpc)},
        "options": variant.options,
        "expectations": checks,
        "findings": findings,
    }


def _burst(path: Path) -> dict[str, Any]:
    result: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    return result
