"""What a run says on the terminal: the verdict, a table, what did not hold; 30 lines at most."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from vaultstorm import acknowledged

LINES_MAX: Final = 30
WIDTH: Final = 100
_HEADINGS: Final = ("variant", "attempts", "ok", "lost", "p99 ms", "passed", "causes", "verdicts")
_SEEN: Final = (
    *("variant", "received", "again", "answered", "ran twice", "given up"),
    *("turned away", "client", "passed"),
)
"""The columns where the client is somebody else's: what the server saw of it."""
_WORDS: Final = ("variant", "client", "passed", "causes", "verdicts")
"""Columns that are no numbers."""
UNKNOWN: Final = (
    "whether requests ran is not known: wrap the application in vaultstorm.journal.ASGIJournal or "
    "WSGIJournal, or name an access_log with the request's id in [target]"
)
_TABLE_MAX: Final = 16
"""Lines of the table."""
_SERVERS_MAX: Final = 5
"""Lines about foreign servers."""


def summary(result: Mapping[str, Any], report: Path | None) -> str:
    """Write the summary of a run.

    Args:
        result: of the run, as `--json` shows it.
        report: where the report is; None if there is none.
    """
    lines = [*_verdict(result), "", *_table(result["variants"])]
    tail = [f"report: {report}"] if report else [f"records: {result['out']}"]
    kept = acknowledged.told(result["variants"].values())
    lines += ["", kept] if kept else []
    known = list(_servers(result["variants"]))
    lines += ["", *_cut(known, _SERVERS_MAX)] if known else []
    findings = _findings(result)
    if findings:
        lines += ["", *_cut(findings, LINES_MAX - len(lines) - len(tail) - 2)]
    return "\n".join([*lines, "", *tail])


def _verdict(result: Mapping[str, Any]) -> Iterator[str]:
    variants = result["variants"]
    checks = [check for variant in variants.values() for check in variant["expectations"]]
    held = sum(check["passed"] for check in checks)
    said = f"{held} of {len(checks)} expectations hold in {len(variants)} variants"
    if result["cut"]:
        said = f"{result['cut']}; {said}"
    if result["violations"]:
        said = f"{len(result['violations'])} contradiction(s): a bug in vaultstorm; {said}"
    yield f"{'passed' if result['passed'] else 'FAILED'}: {result['scenario']}, {said}"
    about = f"{result['title']} ({result['article']}). {result['fixes']}"
    yield from textwrap.wrap(about, WIDTH, max_lines=3, placeholder=" …")


def _table(variants: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    by_others = any(variant.get("client") for variant in variants.values())
    headings = _SEEN if by_others else _HEADINGS
    row = _seen if by_others else _row
    rows: list[Sequence[str]] = [headings]
    rows += [row(name, variant) for name, variant in variants.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(headings))]
    lines = [
        "  ".join(
            cell.ljust(width) if heading in _WORDS else cell.rjust(width)
            for heading, cell, width in zip(headings, row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]
    yield from _cut(lines, _TABLE_MAX)


def _seen(name: str, variant: Mapping[str, Any]) -> list[str]:
    """Give the row of a variant whose client is somebody else's."""
    client = variant["client"]
    if client is None:
        return [name, *["-"] * (len(_SEEN) - 1)]
    requests, doubtful = client["requests"], (client["executed_twice"], client["given_up"])
    ended = f"exit {client['exit']}" if client["exit"] is not None else f"signal {client['signal']}"
    return [
        name,
        str(requests["received"]),
        str(requests["repeated"]),
        str(requests["answered"]),
        *("not measured" if number is None else str(number) for number in doubtful),
        str(client["connections"]["turned_away"]),
        ended if (client["exit"], client["signal"]) != (None, None) else "cut short",
        "yes" if variant["passed"] else "NO",
    ]


def _row(name: str, variant: Mapping[str, Any]) -> list[str]:
    total = variant["latency_ms"]["total"]
    return [
        name,
        str(variant["attempts"]),
        str(variant["ok"]),
        str(variant["lost"]),
        f"{total['p99']:.0f}" if total else "-",
        "yes" if variant["passed"] else "NO",
        _counts({**variant["causes"], "unexplained": variant["unexplained"]}),
        _counts(variant["verdicts"]),
    ]


def _servers(variants: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Say which foreign servers these were, what was lost after actions, and what is not known."""
    foreign = {n: v for n, v in variants.items() if v.get("server") == "foreign"}
    versions = dict.fromkeys(v["version"] for v in foreign.values() if v.get("version"))
    if versions:
        yield f"server: {', '.join(versions)}"
    after = [
        f"{count} after {action} in {name}"
        for name, variant in foreign.items()
        for action, count in (variant.get("lost_after_action") or {}).items()
        if count
    ]
    if after:
        said = f"lost within 1 s after an action: {', '.join(after)}"
        yield from textwrap.wrap(said, WIDTH, max_lines=2, placeholder=" …")
    if any("no_executions_journal" in variant.get("gaps", ()) for variant in foreign.values()):
        yield from textwrap.wrap(UNKNOWN, WIDTH)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "-"


def _findings(result: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{v['variant']}: {v['kind']}{': ' + v['id'] if v['id'] else ''}: {v['detail']}"
        for v in result["violations"]
    ]
    lines += [
        f"{name}: {finding}"
        for name, variant in result["variants"].items()
        for finding in variant["findings"]
    ]
    lines += [
        f"{name}: expected {check['check']}, actual {_actual(check)}"
        for name, variant in result["variants"].items()
        for check in variant["expectations"]
        if not check["passed"]
    ]
    return [textwrap.shorten(line, 2 * WIDTH, placeholder=" …") for line in lines]


def _actual(check: Mapping[str, Any]) -> str:
    """Say what a check has found; a comparison has found two numbers."""
    found = [check["actual"], *([check["against"]] if "against" in check else [])]
    return " and ".join("not measured" if one is None else str(one) for one in found)


def _cut(lines: list[str], most: int) -> list[str]:
    """Keep so many lines; the last one then says how many are left out."""
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], f"… and {len(lines) - most + 1} more, in run.json"]
