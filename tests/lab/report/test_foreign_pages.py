"""The report of a run against somebody else's server."""

from pathlib import Path

import pytest

from tests.lab.report import foreign
from tests.lab.report.markup import Page
from tests.lab.report.test_browser import measured
from tests.support import browser
from vaultstorm import report

OURS = ("HTTP.SYS", "http.sys", "HTTPERR", "AFD", "Windows", "Emulated", "emulated")


def text_of(directory: Path) -> str:
    """Write the report, find no fault in it, and give it without its style and scripts."""
    html = report.write(directory).read_text()
    assert Page(html).faults == []
    head, _, rest = html.partition("<style>")
    return head + rest.partition("</style>")[2].partition("<script")[0]


def test_it_says_which_server_and_what_was_lost_after_what(tmp_path: Path) -> None:
    """Escaped, as it is somebody else's text."""
    html = text_of(foreign.server(tmp_path))
    assert "Server under test: <b>nginx/1.22.1 &lt;&amp;&gt;</b>" in html
    assert "2 lost within 1 s after <code>signal HUP</code>" in html
    assert "signal HUP (asked for by the scenario)" in html
    assert "command true" in html
    assert "no record of this server says why" in html
    assert "held up to 11, with a backlog of 10, and 4 connections found no room" in html
    assert 'data-chart="kernel"' in html


def test_a_loss_is_told_with_what_was_done_just_before(tmp_path: Path) -> None:
    """Three ended within a second of the reload, and one after the command."""
    html = text_of(foreign.server(tmp_path))
    assert html.count("action (signal HUP)") == 3
    assert html.count("action (command true)") == 1


def test_it_does_not_talk_of_what_is_ours(tmp_path: Path) -> None:
    """Of Windows, and of what we emulate of it."""
    html = text_of(foreign.server(tmp_path))
    assert [word for word in OURS if word in html] == []


def test_one_verdict_is_unknown(tmp_path: Path) -> None:
    """What was begun, and never ended; that is no reason to keep another journal."""
    html = text_of(foreign.server(tmp_path))
    assert "Some verdicts are unknown." in html
    assert "<code>v</code>: 1 unknown" in html
    assert "ASGIJournal" not in html
    assert "worker 21 begins it" in html
    assert "the access log has GET /: 502" in html


def test_without_a_journal_it_says_how_to_keep_one(tmp_path: Path) -> None:
    """By a middleware, or by a log."""
    html = text_of(foreign.server(tmp_path, journals=False))
    assert "Whether requests ran is not known." in html
    assert "vaultstorm.journal.ASGIJournal" in html
    assert "access_log = " in html


def test_a_queue_that_was_never_near_its_backlog_has_no_chart(tmp_path: Path) -> None:
    """It would be a line along the bottom."""
    html = text_of(foreign.server(tmp_path, backlog=511))
    assert 'data-chart="kernel"' not in html
    assert "found no room" not in html


@pytest.mark.skipif(browser.chromium() is None, reason=browser.MISSING)
@pytest.mark.parametrize("kind", ["server", "client"])
def test_nothing_is_cut(tmp_path: Path, kind: str) -> None:
    """In a real browser, on a telephone."""
    made = getattr(foreign, kind)(tmp_path / "run")
    page = report.write(made)
    seen = measured(page, tmp_path, 400)
    assert seen["scrollWidth"] <= 400
    assert (seen["outside"], seen["cut"], seen["clipped"]) == ([], [], [])
    assert seen["charts"] == seen["drawn"] >= 2
