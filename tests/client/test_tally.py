"""What is counted adds up, in one process and in several."""

import random

import pytest

from vaultstorm_client.attempt import Attempt
from vaultstorm_client.tally import _FOLD_AT, Counts, Latency, Tally


def an_attempt(nth: int = 0, connect: float | None = 0.001) -> Attempt:
    """Make an attempt that was due at 0."""
    attempt = Attempt("a", 0.0, 0.0)
    attempt.nth, attempt.connect = nth, connect
    return attempt


def test_counting() -> None:
    """Every attempt is counted once; those on a reused connection also apart."""
    tally = Tally()
    for nth, outcome in [(0, "ok"), (1, "ok"), (2, "wait.closed"), (0, "http.503")]:
        tally.count(an_attempt(nth), outcome, 1.0)
    counts = tally.counts
    assert (counts.attempts, counts.ok, counts.lost) == (4, 2, 1)
    assert (counts.reused, counts.reused_lost) == (2, 1)


def test_nothing() -> None:
    """A tally of nothing has neither attempts nor latencies."""
    tally = Tally()
    assert (tally.counts.attempts, tally.counts.ok, tally.counts.lost) == (0, 0, 0)
    assert all(latency.percentiles_ms() is None for latency in tally.latencies.values())


def test_a_loss_has_no_latency() -> None:
    """Only complete answers have latencies."""
    tally = Tally()
    tally.count(an_attempt(), "wait.timeout", 30.0)
    assert tally.latencies["total"].percentiles_ms() is None
    tally.count(an_attempt(), "http.500", 0.5)
    measured = tally.latencies["total"].percentiles_ms()
    assert measured is not None
    assert measured["max"] == pytest.approx(500, rel=0.001)


def test_response_is_all_of_it() -> None:
    """The response takes from the first byte sent to the last received."""
    tally, attempt = Tally(), an_attempt()
    attempt.send, attempt.wait, attempt.receive = 0.1, 0.2, 0.4
    tally.count(attempt, "ok", 0.7)
    measured = tally.latencies["response"].percentiles_ms()
    assert measured is not None
    assert measured["p50"] == pytest.approx(700, rel=0.001)


@pytest.mark.parametrize("number", [1, 2, 100, _FOLD_AT - 1, _FOLD_AT, _FOLD_AT + 1])
def test_percentiles(number: int) -> None:
    """Percentiles are right to three digits, whether folded or not."""
    latency = Latency()
    for index in range(number):
        latency.record((index + 1) / 1000)
    measured = latency.percentiles_ms()
    assert measured is not None
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1)):
        exact = min(max(1, -(-number * share // 1)), 3_600_000)
        assert measured[name] == pytest.approx(exact, rel=0.002, abs=1.001)


@pytest.mark.parametrize("seconds, shown", [(0.0, 0.001), (-1.0, 0.001), (1e9, 3_600_000)])
def test_out_of_range(seconds: float, shown: float) -> None:
    """What is below a microsecond or above an hour counts as that."""
    latency = Latency()
    latency.record(seconds)
    measured = latency.percentiles_ms()
    assert measured is not None
    assert measured["max"] == pytest.approx(shown, rel=0.001)


def test_merge() -> None:
    """Two tallies merged are one."""
    draw = random.Random(1)
    whole, parts = Tally(), [Tally(), Tally()]
    for index in range(1000):
        attempt, end = an_attempt(draw.randrange(3), draw.random()), draw.random() * 10
        outcome = draw.choice(["ok", "http.503", "wait.closed"])
        for tally in (whole, parts[index % 2]):
            tally.count(attempt, outcome, end)
    merged = Tally()
    for part in parts:
        encoded = {name: latency.encode() for name, latency in part.latencies.items()}
        merged.merge(part.counts, encoded)
    assert merged.counts == whole.counts
    for name, latency in whole.latencies.items():
        assert merged.latencies[name].percentiles_ms() == latency.percentiles_ms()


@pytest.mark.parametrize("reverse", [False, True])
def test_adding_instants(reverse: bool) -> None:
    """The first is the earliest, the last the latest, and nothing is nothing."""
    parts = [
        Counts(first_syn=2.0, last_syn=3.0, began=1.0, ended=9.0, lag=0.1, busy=0.5),
        Counts(first_syn=1.0, last_syn=2.5, began=1.5, ended=8.0, lag=0.2, saturated=True),
        Counts(),
    ]
    total = Counts()
    for part in reversed(parts) if reverse else parts:
        total.add(part)
    assert (total.first_syn, total.last_syn, total.began, total.ended) == (1.0, 3.0, 1.0, 9.0)
    assert (total.lag, total.busy, total.saturated) == (0.2, 0.5, True)


def test_operations_add_up() -> None:
    """What is counted by operation is added, and an operation of the other's is taken over."""
    tallies = [Tally(), Tally()]
    for tally, operation in zip(tallies, ("activation", "call"), strict=True):
        for name in ("activation", operation):
            attempt = an_attempt()
            attempt.operation, attempt.bind = name, 0.5
            tally.count(attempt, "ok", 1.0)
    counts = tallies[0].counts
    counts.add(tallies[1].counts)
    assert {name: ours.attempts for name, ours in counts.rpc.items()} == {
        "activation": 3,
        "call": 1,
    }
    measured = tallies[0].latencies["bind"].percentiles_ms()
    assert measured is not None
    assert measured["max"] == pytest.approx(500, rel=0.001)


def test_what_agents_count_adds_up() -> None:
    """The counts of each process' agents are added."""
    one, other = Counts(), Counts()
    one.vault.begun, other.vault.begun, other.vault.lost = 1, 2, 3
    one.add(other)
    assert (one.vault.begun, one.vault.lost) == (3, 3)
