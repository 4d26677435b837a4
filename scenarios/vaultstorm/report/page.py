"""The page: what was read, in HTML that needs nothing but itself."""

import base64
import hashlib
import json
import shlex
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any, Final

import jinja2
from markupsafe import Markup

from vaultstorm.report import (
    chain,
    clients,
    hresults,
    kernel,
    latency,
    lives,
    ports,
    telling,
    words,
)
from vaultstorm.report.data import Run, Variant
from vaultstorm.report.timeline import Timeline
from vaultstorm_wire.outcome import Ending, Phase, is_lost
from vaultstorm_wire.version import __version__

PERCENTILES: Final = ("p50", "p90", "p99", "p99.9", "max")
MEASURED: Final = ("connect", "tls", "bind", "response", "total")
ROWS_MAX: Final = 40
"""Most rows of a chart's data table: for reading aloud, not for working on."""


def render(run: Run) -> str:
    """Write the page."""
    files = resources.files("vaultstorm.report")

    def read(name: str) -> str:
        return files.joinpath(name).read_text(encoding="utf-8")

    style = f"{read('vendor/uPlot.min.css')}\n{read('style.css')}"
    script = "\n".join(map(read, ("vendor/uPlot.iife.min.js", "lives.js", "charts.js")))
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: read(f"templates/{name}")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(
        n=lambda number: f"{number:,}",
        ms=words.milliseconds,
        clock=_clock,
        bins=words.bins,
        ranked=_ranked,
    )
    environment.globals.update(
        words=words,
        clients=clients,
        kernels=kernel,
        telling=telling,
        hresults=hresults,
        steps=chain.STEPS,
        Phase=Phase,
        Ending=Ending,
        is_lost=is_lost,
    )
    return environment.get_template("report.html").render(
        run=run,
        result=run.result,
        verdict=verdict(run),
        cards=[_card(variant) for variant in run.variants],
        rows_of=table,
        told=telling.told,
        percentiles=PERCENTILES,
        measured=MEASURED,
        policy=_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        embedded=Markup(embed(chart_data(run))),
        again=_again(run),
        version=__version__,
    )


def _again(run: Run) -> str:
    """Give the command that makes the same requests, with the same ids, again."""
    seeds = {variant.result.seed for variant in run.variants}
    seed = f" --seed {seeds.pop()}" if len(seeds) == 1 and None not in seeds else ""
    by = next((v.result.client.line for v in run.variants if v.result.client), None)
    client = f" --client {shlex.quote(by)}" if by else ""
    return f"vaultstorm run {shlex.quote(run.result.scenario)}{seed}{client}"


def verdict(run: Run) -> str:
    """Say in one sentence what came out."""
    checks = [check for v in run.variants for check in v.result.expectations]
    failed = sum(not check.passed for check in checks)
    many = words.count(len(checks), "expectation")
    held = f"all {many} hold" if len(checks) > 1 else f"{many} {'holds' if checks else ''}".strip()
    if checks and not failed and not run.result.passed:
        return f"Not passed: {many} {'hold' if len(checks) > 1 else 'holds'}, but {_but(run)}."
    if failed:
        held = f"{failed} of {many} {'does' if failed == 1 else 'do'} not hold"
    elif not checks:
        held = "there was nothing to expect" if run.result.passed else "the run was not finished"
    return f"{'Passed' if run.result.passed else 'Not passed'}: {held}."


def _but(run: Run) -> str:
    """Say what else keeps a run from having passed."""
    if run.violations_count:
        return "the records contradict each other"
    if any(variant.result.findings for variant in run.variants):
        return "acknowledged data is not as it was acknowledged"
    return f"the run was cut short: {run.result.cut}" if run.result.cut else "the run has failed"


def table(timeline: Timeline) -> list[tuple[float, float, list[int]]]:
    """Give the rows of a chart's data table: from, to, count per series; empty ones left out."""
    bins = int((timeline.last - min(timeline.first, 0)) / timeline.width) + 1
    factor = -(-bins // ROWS_MAX)
    rows: dict[int, list[int]] = {}
    for column, series in enumerate(timeline.series):
        for number, count in series.bins:
            row = rows.setdefault(number // factor, [0] * len(timeline.series))
            row[column] += count
    width = timeline.width * factor
    return [(n * width, (n + 1) * width, rows[n]) for n in sorted(rows)]


def chart_data(run: Run) -> dict[str, Any]:
    """Give what the charts draw, as small as it can be."""
    return {
        "lines": [_line(v.timeline) for v in run.variants],
        "curves": [{"name": v.name, "ms": v.curve.ms} for v in run.variants],
        "nines": [f"p{p * 100:g}" for p in latency.NINES],
        "step": latency.STEP,
    }


def embed(value: Any) -> str:
    """Write JSON that nothing can end early: no tag, no comment, no entity in it."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _line(timeline: Timeline | None) -> dict[str, Any] | None:
    if timeline is None:
        return None
    return {
        "first": round(timeline.first, 4),
        "last": round(timeline.last, 4),
        "width": timeline.width,
        "series": [
            {"name": series.name, "family": series.family, "bins": series.bins}
            for series in timeline.series
        ],
        "held": [
            [round(held.time, 4) for held in timeline.held],
            [held.queued for held in timeline.held],
            [held.free for held in timeline.held],
            [held.waiting for held in timeline.held],
        ],
        "vault": _vault(timeline),
        "kernel": kernel.charted(timeline.kernel),
        "sides": {side.key: _side(side) for side in timeline.sides},
        "pauses": _pauses(timeline.pauses),
        "lives": [_life(life) for life in timeline.lives],
        "recycles": [round(time, 4) for time in timeline.recycles],
        "marks": [[round(mark.time, 4), mark.label, mark.action] for mark in timeline.marks],
    }


def _vault(timeline: Timeline) -> list[list[int]] | None:
    """Give entries and threads held at the moments of `held`; None where there never was any."""
    interfaces = [held.interfaces for held in timeline.held]
    return [interfaces, [held.threads_held for held in timeline.held]] if any(interfaces) else None


def _side(side: ports.Side) -> dict[str, Any]:
    """Give what the accept queue of one port held, and when it was paused."""
    return {
        "held": [
            [round(held.time, 4) for held in side.held],
            [held.queued for held in side.held],
            [held.free for held in side.held],
        ],
        "pauses": _pauses(side.pauses),
    }


def _pauses(pauses: Iterable[ports.Pause]) -> list[list[float]]:
    return [[round(pause.time, 4), round(pause.until, 4)] for pause in pauses]


def _life(life: lives.Life) -> list[Any]:
    """Give the moments of a life, how it ended, and the moments of what was lost."""
    moments = (life.started, life.serving, life.stopping, life.until)
    lost = [round(time, 4) for time, _ in life.lost]
    return [life.worker, *map(_rounded, moments), life.ending, lost]


def _card(variant: Variant) -> Mapping[str, Any]:
    result = variant.result
    total = result.latency_ms.get("total") or {}
    counted = variant.outcomes
    lost = [(name, n) for name, n in counted.items() if is_lost(name)]
    return {
        "variant": variant,
        "role": words.role(variant.name),
        "p99": total.get("p99"),
        "errors": result.attempts - result.ok - result.lost,
        "worst": max(lost, key=lambda item: item[1], default=None),
    }


def _policy(style: str, script: str) -> str:
    """Allow this page's own style and script, by their hashes, and not one request."""
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _ranked(outcomes: Mapping[str, int]) -> list[str]:
    return sorted(outcomes, key=words.rank)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _rounded(time: float | None) -> float | None:
    return None if time is None else round(time, 4)


def _clock(seconds: float) -> str:
    """Write a moment relative to an attempt's beginning, its sign always shown."""
    sign = "\N{MINUS SIGN}" if seconds < 0 else "+"
    return f"{sign}{abs(seconds) * 1000:,.2f}"
