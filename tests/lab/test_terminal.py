"""The summary of a run on the terminal."""

from pathlib import Path
from typing import Any

import pytest

from vaultstorm.terminal import LINES_MAX, summary


def variant(passed: bool = True, checks: int = 2) -> dict[str, Any]:
    """Make a variant's result; if it did not pass, none of its expectations holds."""
    return {
        "attempts": 100,
        "ok": 10,
        "lost": 90,
        "causes": {"backlog_full": 89},
        "verdicts": {"once": 10, "never": 90, "twice": 0, "unknown": 0},
        "unexplained": 1,
        "latency_ms": {"total": {"p99": 1234.5} if passed else None},
        "passed": passed,
        "acknowledged": {"blocks": 0, "snapshots": 0, "lost": 0, "changed": 0},
        "findings": [],
        "expectations": [
            {"check": f"lost == {n}", "actual": None if n else 90, "passed": passed}
            for n in range(checks)
        ],
    }


def result(**variants: dict[str, Any]) -> dict[str, Any]:
    """Make a run's result."""
    return {
        "scenario": "storm",
        "title": "A storm",
        "article": "KB960007",
        "fixes": "Shelter.",
        "passed": all(v["passed"] for v in variants.values()),
        "cut": None,
        "violations": [],
        "variants": variants,
        "out": "runs/storm",
    }


def test_a_run_that_passed() -> None:
    """The verdict comes first, then what it is about, the table, and where the report is."""
    text = summary(result(broken=variant(), fixed=variant()), Path("runs/storm/report.html"))
    first, about, _, heads, broken, fixed, _, last = text.split("\n")
    assert first == "passed: storm, 4 of 4 expectations hold in 2 variants"
    assert about == "A storm (KB960007). Shelter."
    assert " ".join(heads.split()) == "variant attempts ok lost p99 ms passed causes verdicts"
    cells = "100 10 90 1234 yes 89 backlog_full, 1 unexplained 10 once, 90 never"
    assert broken.split() == ["broken", *cells.split()]
    assert fixed.split()[0] == "fixed"
    assert last == "report: runs/storm/report.html"


def test_a_run_that_failed() -> None:
    """Each expectation that does not hold stands beside the actual number."""
    text = summary(result(fixed=variant(passed=False)), None)
    assert text.startswith("FAILED: storm, 0 of 2 expectations hold in 1 variants\n")
    assert "\nfixed: expected lost == 0, actual 90\n" in text
    assert "\nfixed: expected lost == 1, actual not measured\n" in text
    assert text.endswith("\nrecords: runs/storm")


def test_a_comparison_that_does_not_hold_has_two_numbers() -> None:
    """Those of both sides; one may not have been measured."""
    failed = variant(passed=False)
    checks = [
        {"check": "lost == ok", "actual": 1, "against": 0, "passed": False},
        {"check": "lost == latency_ms.tls.p99", "actual": 1, "against": None, "passed": False},
    ]
    text = summary(result(fixed={**failed, "expectations": checks}), None)
    assert "\nfixed: expected lost == ok, actual 1 and 0\n" in text
    assert "\nfixed: expected lost == latency_ms.tls.p99, actual 1 and not measured\n" in text


def test_a_run_that_was_cut_short_or_contradicts_itself() -> None:
    """Both are said in the first line, and what contradicts itself by its id."""
    broken = {"variant": "a", "kind": "id_twice", "id": "x-1", "detail": "2 attempts carry it"}
    text = summary({**result(), "cut": "interrupted", "violations": [broken]}, None)
    assert text.startswith("passed: storm, 1 contradiction(s): a bug in vaultstorm; inter")
    assert "\na: id_twice: x-1: 2 attempts carry it\n" in text


@pytest.mark.parametrize("variants, checks", [(1, 1), (1, 99), (40, 0), (40, 40), (15, 1)])
def test_it_fits_a_screen(variants: int, checks: int) -> None:
    """However much there is to say, it is 30 lines, and the last one is the report's."""
    many = {f"v{n}": variant(passed=False, checks=checks) for n in range(variants)}
    lines = summary({**result(**many), "fixes": "More. " * 99}, Path("report.html")).split("\n")
    assert len(lines) <= LINES_MAX
    assert lines[-1] == "report: report.html"
    assert ("… and" in "".join(lines)) == (variants + checks > 2)


def test_what_was_acknowledged_is_said_of_all_variants_together() -> None:
    """In a line of its own; what is wrong with it stands among the findings."""
    kept = {"blocks": 1200, "snapshots": 56, "lost": 0, "changed": 0}
    lost = {"blocks": 34, "snapshots": 0, "lost": 1, "changed": 0}
    text = summary(
        result(
            broken={**variant(), "acknowledged": kept},
            fixed={**variant(), "acknowledged": lost, "findings": ["1 is lost"], "passed": False},
        ),
        None,
    )
    assert text.startswith("FAILED: storm, 4 of 4 expectations hold in 2 variants\n")
    assert "\nacknowledged: 1,234 blocks and 56 snapshots, 1 lost, none changed\n" in text
    assert "\nfixed: 1 is lost\n" in text


def by_others(**more: Any) -> dict[str, Any]:
    """Make the result of a variant whose client is somebody else's."""
    client = {
        "exit": 0,
        "signal": None,
        "connections": {"accepted": 3, "turned_away": 4},
        "requests": {"received": 62, "distinct": 60, "repeated": 2, "answered": 59},
        "executed_twice": 1,
        "given_up": 5,
    }
    return variant() | {"client": client | more}


@pytest.mark.parametrize(
    "more, cells",
    [
        ({}, "62 2 59 1 5 4 exit 0 yes"),
        ({"executed_twice": None}, "62 2 59 not measured 5 4 exit 0 yes"),
        ({"given_up": None}, "62 2 59 1 not measured 4 exit 0 yes"),
        ({"exit": None, "signal": 9}, "62 2 59 1 5 4 signal 9 yes"),
        ({"exit": None}, "62 2 59 1 5 4 cut short yes"),
    ],
)
def test_somebody_else_s_client_is_told_from_the_server_s_side(
    more: dict[str, Any], cells: str
) -> None:
    """What it received, had sent again, executed twice, and was given up on."""
    lines = summary(result(slow=by_others(**more)), None).split("\n")
    (row,) = [line.split() for line in lines if line.startswith("slow")]
    assert row[1:] == cells.split()
    heads = "variant received again answered ran twice given up turned away client passed"
    assert heads in (" ".join(line.split()) for line in lines)


def foreign(**more: Any) -> dict[str, Any]:
    """Make the result of a variant whose server is somebody else's."""
    return variant() | {"server": "foreign", "version": "nginx/1.22.1", "gaps": {}} | more


def test_a_foreign_server_is_named_with_what_was_lost_after_actions() -> None:
    """Each version once, and only what lost something."""
    after = {"lost_after_action": {"signal HUP": 3, "stop": 0}}
    text = summary(result(one=foreign(**after), two=foreign()), None)
    assert "server: nginx/1.22.1\n" in text
    assert "lost within 1 s after an action: 3 after signal HUP in one\n" in text
    assert "journal" not in text


def test_unknown_verdicts_say_how_they_can_be_known() -> None:
    """By a middleware or a log."""
    text = summary(result(one=foreign(gaps={"no_executions_journal": 1}, version=None)), None)
    assert "vaultstorm.journal.ASGIJournal" in text
    assert "access_log" in text
    assert "server:" not in text


@pytest.mark.parametrize("many", [1, 40])
def test_a_summary_of_foreign_servers_fits_a_screen(many: int) -> None:
    """Whatever there is to say of them."""
    gaps = {"no_executions_journal": 1}
    after = {f"command {n}": n + 1 for n in range(many)}
    failed = variant(False, 9) | foreign(gaps=gaps, lost_after_action=after, passed=False)
    failed |= {"expectations": variant(False, 9)["expectations"]}
    text = summary(result(**{f"variant-{n}": failed for n in range(many)}), Path("r"))
    assert len(text.split("\n")) <= LINES_MAX
    assert text.endswith("report: r")
