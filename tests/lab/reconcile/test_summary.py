"""One variant in figures."""

from tests.lab.reconcile.harness import Run, attempt, execution, lost, request, turned_away


def test_a_variant_without_attempts_is_all_zeros(run: Run) -> None:
    """Every key is there, with nothing in it."""
    run.client()
    run.reconcile()
    assert run.summary() == {
        "attempts": 0,
        "ok": 0,
        "lost": 0,
        "outcomes": {},
        "causes": {},
        "verdicts": {"once": 0, "never": 0, "twice": 0, "unknown": 0},
        "unexplained": 0,
        "gaps": {},
    }


def test_the_figures_add_up(run: Run) -> None:
    """Outcomes, causes with the unexplained ones, and verdicts each cover all attempts."""
    run.client(
        attempt("ok"),
        attempt("tls.reset", id="b"),
        attempt("wait.closed", id="c"),
        attempt("wait.closed", id="d"),
        attempt("http.404", id="e"),
    )
    run.front(request(), turned_away(10.5), lost("Timer_EntityBody", "c"), request("e", status=404))
    run.worker(execution(), execution("d"), execution("e", 404))
    assert run.reconcile() == []
    assert run.summary() == {
        "attempts": 5,
        "ok": 1,
        "lost": 3,
        "outcomes": {"http.404": 1, "ok": 1, "tls.reset": 1, "wait.closed": 2},
        "causes": {"Timer_EntityBody": 1, "backlog_full": 1, "response": 1},
        "verdicts": {"once": 3, "never": 2, "twice": 0, "unknown": 0},
        "unexplained": 1,
        "gaps": {},
    }
