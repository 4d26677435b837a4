"""The tables, indexes and views of run.db."""

from pathlib import Path

import pytest

from tests.lab.reconcile.harness import Run, attempt, event, turned_away
from vaultstorm.reconcile import Variant, reconcile
from vaultstorm_wire.outcome import NAMES, is_lost

COLUMNS = {
    "variant": "name position title options server client",
    "attempt": "variant id connection nth peer local time start connect tls bind send wait receive"
    " end sent received syn_retries outcome errno detail operation win32 cause verdict",
    "turned_away": "variant time peer cause how port",
    "pause": "variant time until style caught port",
    "request": "variant id connection peer method target worker time dispatched answered status"
    " cause",
    "begun": "variant id time worker",
    "execution": "variant id time worker method target status source",
    "event": "variant time role name worker event_id detail port",
    "sample": "variant time free queued turned_away open waiting in_flight interfaces threads_held"
    " resolver_free resolver_queued resolver_turned_away"
    " exporter_free exporter_queued exporter_turned_away objects",
    "kernel": "variant time queued backlog overflows",
    "client": "variant command exit signal duration_s url",
    "client_request": "variant key id method target received executed answered served cause first"
    " last",
    "acknowledged": "variant time id kind name sha256 bytes state",
    "journal": "variant file role pid time records cut",
    "gap": "variant kind detail",
    "violation": "variant kind id detail",
    "why": "variant outcome cause attempts",
    "executed": "variant outcome verdict attempts",
    "operations": "variant operation port outcome win32 cause verdict attempts",
    "summary": "variant attempts ok lost unexplained",
}


@pytest.mark.parametrize("name", [*COLUMNS, "unexplained", "lost"])
def test_the_columns_are_the_documented_ones(run: Run, name: str) -> None:
    """Queries that people keep go on working."""
    run.reconcile()
    columns = run.rows(f"SELECT name FROM pragma_table_info('{name}')")
    assert columns == COLUMNS.get(name, COLUMNS["attempt"]).split()
    text = (Path(__file__).parents[3] / "docs" / "run-db.md").read_text()
    assert f"`{name}`" in text


def test_the_views_answer_their_questions(run: Run) -> None:
    """Why, did it execute, what is unexplained, what is lost, and all in one line."""
    run.client(
        attempt("tls.reset", 12.0, 13.0),
        attempt("tls.reset", 11.0, 12.0, id="b", local="127.0.0.1:40001"),
        attempt("ok", id="c", sent=0),
        attempt("http.500", id="d"),
    )
    run.front(turned_away(12.5))
    run.reconcile()
    assert run.rows("SELECT * FROM why ORDER BY outcome, cause") == [
        ("v", "http.500", None, 1),
        ("v", "tls.reset", None, 1),
        ("v", "tls.reset", "backlog_full", 1),
    ]
    assert run.rows("SELECT * FROM executed ORDER BY outcome") == [
        ("v", "http.500", "never", 1),
        ("v", "ok", "never", 1),
        ("v", "tls.reset", "never", 2),
    ]
    assert run.rows("SELECT id FROM unexplained ORDER BY id") == ["b", "d"]
    assert run.rows("SELECT id FROM lost") == ["b", "a"]
    assert run.rows("SELECT * FROM summary") == [("v", 4, 1, 2, 2)]


def test_lost_is_what_the_outcomes_say(run: Run) -> None:
    """SQL and `is_lost` agree on every outcome there is."""
    outcomes = [*NAMES, "ok", "http.404", "http.503", "rpc.0x1c010014"]
    run.client(*[attempt(outcome, id=outcome) for outcome in outcomes])
    run.reconcile()
    assert set(run.rows("SELECT outcome FROM lost")) == {o for o in outcomes if is_lost(o)}


def test_variants_stand_in_their_order(run: Run) -> None:
    """Each with its title, and with what makes it different; none sees the other's records."""
    other = Run(run.directory.parent / "other")
    other.client(attempt("tls.reset"))
    other.folder.rename(run.directory / "b")
    run.client(attempt("tls.reset"))
    run.front(turned_away(10.5))
    run.exited("signal 9")
    given: list[str | Variant] = [Variant("v", "As it was", {"backlog": 10}), "b"]
    assert reconcile(run.directory, given) == []
    assert run.rows("SELECT * FROM variant ORDER BY position") == [
        ("v", 0, "As it was", '{"backlog":10}', "vaultstorm", "burst"),
        ("b", 1, "", "{}", "vaultstorm", "burst"),
    ]
    assert run.rows("SELECT variant, cause FROM attempt") == [("v", "backlog_full"), ("b", None)]
    assert run.rows("SELECT variant, lost, unexplained FROM summary") == [("v", 1, 0), ("b", 1, 1)]


@pytest.mark.parametrize(
    "query, index",
    [
        ("SELECT * FROM attempt WHERE variant = 'v' AND id = 'a'", "attempt_id"),
        ("SELECT * FROM request WHERE variant = 'v' AND id = 'a'", "request_id"),
        ("SELECT * FROM request WHERE id = 'a'", "request_id"),
        ("SELECT * FROM execution WHERE id = 'a'", "execution_id"),
        ("SELECT * FROM begun WHERE variant = 'v' AND id = 'a'", "begun_id"),
        ("SELECT * FROM execution WHERE variant = 'v' AND id = 'a'", "execution_id"),
        ("SELECT * FROM turned_away WHERE variant = 'v' AND peer = 'a'", "turned_away_peer"),
        ("SELECT * FROM sample WHERE variant = 'v' ORDER BY time", "sample_time"),
        ("SELECT * FROM kernel WHERE variant = 'v' ORDER BY time", "kernel_time"),
        ("SELECT * FROM event WHERE variant = 'v' ORDER BY time", "event_time"),
        ("SELECT * FROM pause WHERE variant = 'v' ORDER BY time", "pause_time"),
    ],
)
def test_the_questions_of_a_report_need_no_scan(run: Run, query: str, index: str) -> None:
    """One attempt told in full, and a time line, go by an index."""
    run.front(event("ready"))
    run.reconcile()
    plan = run.rows(f"EXPLAIN QUERY PLAN {query}")
    assert len(plan) == 1
    assert f"USING INDEX {index} " in plan[0][3]
