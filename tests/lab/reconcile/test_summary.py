"""One variant in figures."""

from tests.lab.reconcile.harness import (
    Run,
    attempt,
    event,
    execution,
    lost,
    request,
    turned_away,
)
from vaultstorm_wire.journal import Event, Sample


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
        "events": {"worker_started": 1},
        "gaps": {},
        "acknowledged": {"blocks": 0, "snapshots": 0, "lost": 0, "changed": 0},
        "interfaces": {"peak": 0},
        "threads_held": {"peak": 0},
        "rpc": None,
        "server": "vaultstorm",
        "lost_after_action": {},
        "client": None,
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
        "events": {"worker_started": 1},
        "gaps": {},
        "acknowledged": {"blocks": 0, "snapshots": 0, "lost": 0, "changed": 0},
        "interfaces": {"peak": 0},
        "threads_held": {"peak": 0},
        "rpc": None,
        "server": "vaultstorm",
        "lost_after_action": {},
        "client": None,
    }


def test_events_are_those_of_the_front_process(run: Run) -> None:
    """By name, and by number in the event log; what the runner did is not among them."""
    run.client()
    run.front(
        event("recycle", 2.0, 21, "requests"),
        Event(time=3.0, name="event_log", worker=21, event_id=1009, detail="terminated"),
        Event(time=4.0, name="event_log", worker=22, event_id=1009, detail="terminated"),
        Event(time=5.0, name="event_log", worker=22, detail="allowed request limit"),
    )
    run.write("runner", 41, event("recycle", 9.0))
    assert run.reconcile() == []
    assert run.summary()["events"] == {
        "1009": 2,
        "event_log": 3,
        "recycle": 1,
        "worker_started": 1,
    }


def test_peaks_are_the_most_of_all_samples(run: Run) -> None:
    """Each by itself: the table may be fullest before the first thread waits."""
    run.client()
    fields = {"free": 9, "queued": 0, "turned_away": 0, "open": 0, "waiting": 0, "in_flight": 0}
    for time, interfaces, threads_held in ((2.0, 0, 0), (3.0, 64, 1), (4.0, 60, 16), (5.0, 2, 0)):
        sample = Sample(time=time, interfaces=interfaces, threads_held=threads_held, **fields)
        run.front(sample)
    assert run.reconcile() == []
    assert run.summary()["interfaces"] == {"peak": 64}
    assert run.summary()["threads_held"] == {"peak": 16}
