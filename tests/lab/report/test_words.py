"""The words of a report."""

import pytest

from vaultstorm.events import VAULT_CHAIN
from vaultstorm.report import words
from vaultstorm_wire.outcome import NAMES, Ending, Phase


@pytest.mark.parametrize("outcome", [*NAMES, "ok", "http.503", "rpc.0x1c010014"])
def test_every_outcome_can_be_told(outcome: str) -> None:
    """Each outcome has a clause, a colour and a place."""
    assert words.ended(outcome)
    assert words.family(outcome)
    assert words.rank(outcome)


def test_the_order_of_outcomes() -> None:
    """Ok comes first, then errors answered, then what was lost, phase by phase."""
    names = ["wait.reset", "http.503", "connect.refused", "tls.reset", "ok", "connect.reset"]
    assert sorted(names, key=words.rank) == [
        *("ok", "http.503", "connect.refused", "connect.reset", "tls.reset", "wait.reset"),
    ]


def test_every_phase_and_ending_is_explained() -> None:
    """The reader's glossary is complete."""
    assert set(words.PHASES) == set(Phase)
    assert set(words.ENDINGS) == set(Ending)
    assert words.possible(Phase.CONNECT, Ending.REFUSED)
    assert not words.possible(Phase.TLS, Ending.REFUSED)


@pytest.mark.parametrize(
    "outcome, told",
    [
        ("tls.reset", "was reset during the TLS handshake"),
        ("connect.timeout", "timed out while connecting"),
        ("wait.closed", "was closed by the server with the whole request sent and not one byte of "
         "the answer back"),
        ("http.503", "got a complete answer with the HTTP status 503"),
        ("ok", "got its complete answer"),
    ],
)  # fmt: skip
def test_ended(outcome: str, told: str) -> None:
    """How an attempt ended reads as a clause."""
    assert words.ended(outcome) == told


def test_causes() -> None:
    """A cause that nobody foresaw is still one, and none at all is said to be none."""
    assert words.cause("backlog_full") == "the accept queue was full"
    assert words.cause("SomethingNew") == "the server's own reason"
    assert words.cause(None) == "nothing that the server recorded explains it"


def test_executed() -> None:
    """Only while waiting can no client know that its request ran."""
    assert words.executed("once", "wait.reset").endswith("which no client can know.")
    assert words.executed("once", "http.503") == "It was executed once."
    assert words.executed("never", "tls.reset") == "It was never executed."
    assert words.executed("twice", "wait.reset") == "It was executed twice or more."
    assert words.executed("unknown", "wait.reset").startswith("Nobody can say")


@pytest.mark.parametrize(
    "variant, role",
    [
        ("broken", "broken"),
        ("workaround-dynamic-alone", "worked around"),
        ("fixed", "fixed"),
        ("fixed-backlog", "fixed"),
        ("linux-drop", "case"),
        ("crash", "case"),
        ("", "case"),
    ],
)
def test_roles(variant: str, role: str) -> None:
    """A variant's name says what it is there for."""
    assert words.role(variant) == role


@pytest.mark.parametrize(
    "ms, told",
    [
        (None, "\N{EN DASH}"),
        (0, "0.00 ms"),
        (9.99, "9.99 ms"),
        (9.996, "10.0 ms"),
        (99.94, "99.9 ms"),
        (99.96, "100 ms"),
        (999.4, "999 ms"),
        (999.6, "1.00 s"),
        (99_949, "99.95 s"),
        (99_951, "100 s"),
    ],
)
def test_milliseconds(ms: float | None, told: str) -> None:
    """A time has the digits that count, and changes its unit where it should."""
    assert words.milliseconds(ms) == told


@pytest.mark.parametrize(
    "part, whole, told",
    [
        (0, 0, "0 %"),
        (0, 5, "0 %"),
        (1, 5000, "< 0.1 %"),
        (1, 1000, "0.1 %"),
        (1, 3, "33.3 %"),
        (1, 2, "50 %"),
        (4999, 5000, "> 99.9 %"),
        (5, 5, "100 %"),
    ],
)
def test_shares(part: int, whole: int, told: str) -> None:
    """Few are never rounded to none, nor nearly all to all."""
    assert words.share(part, whole) == told


def test_small_things() -> None:
    """Ids, events, counts and widths of bins are written as people write them."""
    assert words.short("d11cbfd1f36d8faa-17-0") == "…-17-0"
    assert words.short("a-1-0") == "a-1-0"
    assert words.short("00000000-000e-a8c8-0001-001100000002") == "…-65553-2"
    assert words.short("no-dashes") == "no-dashes"
    assert words.event("gate_closed", None) == "gate closed"
    assert words.event("server_exited", "signal 9") == "server exited signal 9"
    assert words.count(1, "attempt") == "1 attempt"
    assert words.count(2000, "attempt") == "2,000 attempts"
    assert (words.bins(0.05), words.bins(0.2), words.bins(2.0)) == ("50 ms", "200 ms", "2 s")


@pytest.mark.parametrize(
    "name, worker, number, detail, said",
    [
        ("worker_stopping", 7, None, None, "worker 7 is told to shut down"),
        ("worker_died", 7, None, "signal 9", "worker 7 has died (signal 9)"),
        ("worker_killed", 7, None, None, "worker 7 has been killed"),
        ("worker_orphaned", 7, None, None, "worker 7 is let go of, alive"),
        ("worker_died", None, None, None, "worker died"),
        ("recycle", 7, None, "requests", "recycle 7 (requests)"),
        ("event_log", 7, 1009, "terminated", "event log 1009: terminated"),
        ("gate_closed", None, None, None, "gate closed"),
        ("gate_closed", None, None, "exporter", "gate exporter closed"),
        ("exporter_started", None, None, "8e5f", "exporter started (8e5f)"),
    ],
)
def test_moments(
    name: str, worker: int | None, number: int | None, detail: str | None, said: str
) -> None:
    """A worker is the subject of its clause; an entry of the event log has its number."""
    assert words.moment(name, worker, number, detail) == said


@pytest.mark.parametrize(
    "number, said",
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (999_499, "999 kB"),
        (999_999, "1,000 kB"),
        (1_000_000, "1 MB"),
        (13_634_560, "13.6 MB"),
        (2_500_000_000, "2.5 GB"),
        (1 << 50, "1,130 TB"),
    ],
)
def test_sizes(number: int, said: str) -> None:
    """Three digits that count, and the unit that fits."""
    assert words.size(number) == said


@pytest.mark.parametrize(
    "name, detail, said",
    [
        ("reentrance", "2 methods are inside 3d63-6", "reentrance"),
        ("released_entry_touched", "3d63-4, by a method inside it", "released entry touched"),
        ("corruption_crash", "3d63-4", "corruption crash"),
        ("hotfix_step", "TECH39579 1/6: stop the service", "step TECH39579 1/6"),
        ("hotfix_step", None, "step "),
        ("hotfix_applied", "TECH39579", "hotfix applied TECH39579"),
        ("gate_closed", None, "gate closed"),
        ("gate_open", "resolver", "gate resolver open"),
        ("exporter_started", "8e5f1c6a", "exporter started"),
    ],
)
def test_marks_are_short(name: str, detail: str | None, said: str) -> None:
    """What a chart has no room for stands in the chain, and in the stories."""
    assert words.mark(name, detail) == said


@pytest.mark.parametrize("name", [*VAULT_CHAIN, "corruption_crash"])
def test_each_step_of_the_chain_is_a_clause(name: str) -> None:
    """Of the worker whose vault it is."""
    said = words.moment(name, 7, None, "why")
    assert said.startswith("worker 7 ")
    assert said.endswith(" (why)")
