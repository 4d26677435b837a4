"""Connections turned away, matched by address, port and time."""

import pytest

from tests.lab.reconcile.harness import LOCAL, Run, attempt, turned_away
from vaultstorm.reconcile.rules import TOLERANCE

NEAR = TOLERANCE - 0.001
FAR = TOLERANCE + 0.001


@pytest.mark.parametrize(
    "time, matched",
    [
        (10.0, True),
        (11.0, True),
        (10.0 - NEAR, True),
        (11.0 + NEAR, True),
        (10.0 - FAR, False),
        (11.0 + FAR, False),
    ],
)
def test_the_reset_falls_into_the_life_of_the_attempt(run: Run, time: float, matched: bool) -> None:
    """Or nearly so: the two clocks may differ by the tolerance."""
    run.client(attempt("tls.reset"))
    run.front(turned_away(time))
    assert run.column("cause") == {"a": "backlog_full" if matched else None}


def test_a_reused_port_is_told_apart_by_time(run: Run) -> None:
    """The same port twice in a run: each record goes to the attempt that it is nearest to."""
    run.client(
        attempt("tls.reset", 10.0, 11.0, id="first"),
        attempt("tls.reset", 20.0, 21.0, id="second"),
    )
    run.front(turned_away(20.5, "stopping"), turned_away(10.5))
    assert run.column("cause") == {"first": "backlog_full", "second": "stopping"}


def test_within_the_tolerance_the_nearer_one_wins(run: Run) -> None:
    """Two attempts on one port so close that both are in reach: nearest first, none twice."""
    run.client(
        attempt("tls.reset", 10.0, 11.0, id="first"),
        attempt("tls.reset", 11.05, 12.0, id="second"),
    )
    run.front(turned_away(11.01), turned_away(11.06, "stopping"))
    assert run.column("cause") == {"first": "backlog_full", "second": "stopping"}


def test_a_record_explains_one_attempt_only(run: Run) -> None:
    """One reset cannot have ended two connections."""
    run.client(
        attempt("tls.reset", 10.0, 11.0, id="first"),
        attempt("tls.reset", 11.05, 12.0, id="second"),
    )
    run.front(turned_away(11.0))
    assert run.column("cause") == {"first": "backlog_full", "second": None}


def test_another_port_or_address_is_another_connection(run: Run) -> None:
    """The whole address has to fit."""
    run.client(attempt("tls.reset"), attempt("tls.reset", id="none", local=None))
    run.front(turned_away(10.5, peer="127.0.0.2:40000"), turned_away(10.5, peer=LOCAL + "0"))
    assert run.column("cause") == {"a": None, "none": None}


@pytest.mark.parametrize(
    "served", [attempt("http.404"), attempt("wait.reset", nth=1), attempt("ok", sent=0)]
)
def test_a_connection_that_was_served_was_not_turned_away(run: Run, served: object) -> None:
    """An answer, or an earlier request on the connection, shows that it had its slot."""
    assert isinstance(served, type(attempt("ok")))
    run.client(served)
    run.front(turned_away(10.5))
    assert run.column("cause") == {"a": None}


def test_lives_of_one_port_that_follow_closely_have_their_records_in_order(run: Run) -> None:
    """A busy client notices late: the first life reaches past the second one's record."""
    run.client(
        attempt("tls.reset", 10.0, 10.14, id="first"),
        attempt("tls.reset", 10.141, 10.28, id="second"),
    )
    run.front(turned_away(10.04), turned_away(10.142, "stopping"))
    assert run.column("cause") == {"first": "backlog_full", "second": "stopping"}


@pytest.mark.parametrize("time, matched", [(11.0, True), (11.001, False)])
def test_who_gave_up_was_not_reset_afterwards(run: Run, time: float, matched: bool) -> None:
    """A server that stops right behind a timeout resets what its client has left."""
    run.client(attempt("tls.timeout"))
    run.front(turned_away(time, "stopping"))
    assert run.column("cause") == {"a": "stopping" if matched else None}
