"""The report as a whole: written from a run directory, and what cannot be written."""

import json
import re
from pathlib import Path

import pytest

from tests.lab.report import making
from tests.lab.report.markup import Page
from vaultstorm import report
from vaultstorm_wire.errors import MachineError, UsageError

ROOT = Path(__file__).parents[3]
EVIL = "</script><script>alert('x')</script><img src=//evil.example/x onerror=alert(1)>&amp;\"'"


def copied(run: Path, to: Path) -> Path:
    """Copy what a report is made of."""
    to.mkdir()
    for name in ("run.json", "run.db", "scenario.toml"):
        (to / name).write_bytes((run / name).read_bytes())
    return to


def test_written(run: Path, tmp_path: Path) -> None:
    """The report stands in the run directory, and the same run gives the same bytes."""
    directory = copied(run, tmp_path / "run")
    path = report.write(directory)
    assert path == directory / "report.html"
    first = path.read_bytes()
    assert report.write(directory).read_bytes() == first


@pytest.mark.parametrize("attempts", [1, 100])
def test_html_is_valid(tmp_path: Path, attempts: int) -> None:
    """Ids are unique, headings in order, everything labelled, and nothing leads out of the page."""
    html = report.write(making.make(tmp_path, attempts=attempts)).read_text()
    page = Page(html)
    assert page.faults == []
    assert page.headings.count(1) == 1


def test_a_run_without_attempts_has_a_report(tmp_path: Path) -> None:
    """A variant that made no attempt, and a whole run of them, are said to have made none."""
    idle = making.Made("broken", "Idle", lambda _, __: iter(()), [])
    html = report.write(making.make(tmp_path, [idle], 0)).read_text()
    assert Page(html).faults == []
    assert "No attempt was made." in html
    assert "No attempt failed." in html


def test_nothing_from_the_data_is_markup(tmp_path: Path) -> None:
    """A tag in a name, a target, a detail or a title is shown, never obeyed."""

    def rows(_: object, __: int) -> making.Rows:
        more = {"detail": EVIL, "cause": EVIL, "errno": EVIL, "verdict": "once"}
        name, row = making.attempt(1, 0.0, "wait.reset", **more)
        yield name, row | {"id": EVIL}
        request = {"id": EVIL, "connection": 1, "peer": EVIL, "method": EVIL, "target": EVIL}
        yield "request", request | {"time": 0.001}
        yield making.event(0.001, "runner", "action", detail=EVIL)
        yield making.event(0.001, "front", EVIL, detail=EVIL)
        yield "violation", {"kind": EVIL, "id": EVIL, "detail": EVIL}

    made = making.Made(EVIL, EVIL, rows, [(EVIL, EVIL, False)])
    directory = making.make(tmp_path, [made], 1)
    (directory / "scenario.toml").write_text(EVIL)
    result = json.loads((directory / "run.json").read_text())
    said = dict.fromkeys(("title", "article", "breaks", "why", "fixes", "scenario"), EVIL)
    (directory / "run.json").write_text(json.dumps(result | said))
    html = report.write(directory).read_text()
    page = Page(html)
    assert page.faults == []
    assert html.count("<script") == html.count("</script>") == 2
    assert "<img" not in html
    assert EVIL in " ".join(page.text["pre"])


def test_the_policy_forbids_every_request(run: Path, tmp_path: Path) -> None:
    """Style and script are allowed by hash alone, and nothing may be loaded from anywhere."""
    html = report.write(copied(run, tmp_path / "run")).read_text()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', html)
    policy = policy.replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"https?:", policy)


def test_a_report_is_small(tmp_path: Path) -> None:
    """5,000 attempts in each of six variants weigh far under 3 MB."""
    path = report.write(making.make(tmp_path, attempts=5_000))
    assert path.stat().st_size < 500_000


def test_a_report_that_cannot_be_written(run: Path, tmp_path: Path) -> None:
    """What stands in the way is named, and how to go on."""
    directory = copied(run, tmp_path / "run")
    (directory / "report.html").mkdir()
    with pytest.raises(MachineError, match=r"cannot write .*report\.html: Is a directory"):
        report.write(directory)


def test_no_run_no_report(tmp_path: Path) -> None:
    """A directory without a run is refused."""
    with pytest.raises(UsageError, match="no finished run"):
        report.write(tmp_path)
