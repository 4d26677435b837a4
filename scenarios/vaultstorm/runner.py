"""`vaultstorm run`: every variant of a scenario, one after the other, and what came of it."""

import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from vaultstorm import acknowledged, client_load, descriptors, results, variant_run
from vaultstorm.foreign import programs
from vaultstorm.live import live
from vaultstorm.run_directory import RunDirectory, toml
from vaultstorm.scenario import SEED_MAX, Scenario, Variant
from vaultstorm.variant_run import Place
from vaultstorm.watch import Cut, Watch
from vaultstorm_client.target import parse as aim
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
        command: what starts every foreign server; None for the scenario's.
        client: the command of a client program in place of our own load; None for that.
        allow_remote: whether a server that runs already may be beyond private addresses.
    """

    variants: Sequence[str] = ()
    out: Path | None = None
    port: int = 0
    seed: int | None = None
    command: str | None = None
    client: str | None = None
    allow_remote: bool = False


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
        UsageError: there is no such variant, an option does not go with the scenario, or the run
            directory is in use.
        MachineError: the machine will not do it. The variants that had run before are still
            reconciled and reported, if it will do that.
    """
    scenario, variants, client = _chosen(scenario, options)
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
                        path = _directory(scenario, variant, directory)
                        place = Place(path, Path(tls), options.port, seed, client)
                        place = place._replace(allow_remote=options.allow_remote)
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


def _chosen(
    scenario: Scenario, options: Options
) -> tuple[Scenario, tuple[Variant, ...], tuple[str, ...]]:
    """Give the scenario as it is run, its variants, and the client that takes our load's place."""
    if options.command is not None:
        scenario = scenario.with_command(options.command)
    variants = scenario.choose(options.variants)
    if options.client is not None:
        client = client_load.read(options.client, scenario, variants)
        programs.find(client[0], None)
        return scenario, variants, client
    for variant in variants:
        target = scenario.served_by(variant)
        if target is None:
            continue
        if target.url is None:
            programs.find_first(target)
        else:
            aim(target.url, options.allow_remote)
    return scenario, variants, ()


def _seed(given: int | None, scenario: Scenario) -> int:
    if given is not None:
        return given
    if scenario.seed is not None:
        return scenario.seed
    return int.from_bytes(os.urandom(8), "big") & SEED_MAX


def _directory(scenario: Scenario, variant: Variant, directory: RunDirectory) -> Path:
    path = directory.variant(variant.name)
    if scenario.served_by(variant) is None:
        directory.write(f"{variant.name}/server.toml", toml(scenario.settings(variant)))
    return path


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

    ended = [v for v in variants if results.has_ended(directory.path / v.name)]
    records = [results.record(scenario, v, directory.path / v.name) for v in ended]
    violations = reconcile.reconcile(directory.path, records)
    with reconcile.existing(directory.path) as db:
        found = {
            variant.name: results.result(
                variant,
                record,
                directory.path / variant.name,
                reconcile.summarise(db, variant.name),
                failures.get(variant.name, []),
            )
            for variant, record in zip(ended, records, strict=True)
        }
    for variant in scenario.variants:
        if variant.name not in found or acknowledged.whole(found[variant.name]):
            acknowledged.remove(directory.path / variant.name)
    passed = not violations and len(ended) == len(variants) and cut is None
    passed = passed and all(result["passed"] for result in found.values())
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
        "variants": found,
        "violations": [violation._asdict() for violation in violations],
        "out": str(directory.path),
    }
    directory.write_json("run.json", result)
    path = report.write(directory.path) if ended else None
    if interrupted:
        return Outcome(result, INTERRUPTED, path)
    status = BUG if violations else FINE if passed else FINDING
    return Outcome(result, status, path)
