"""Conditions of --fail-on."""

from typing import Any

import pytest

from vaultstorm_client.attempt import Attempt
from vaultstorm_client.plan import Plan
from vaultstorm_client.result import result
from vaultstorm_client.tally import Tally
from vaultstorm_client.target import parse as parse_target
from vaultstorm_client.thresholds import Vocabulary, parse, read
from vaultstorm_wire.errors import UsageError


def a_result(*outcomes: str) -> dict[str, Any]:
    """Give a result with these outcomes."""
    tally = Tally()
    for outcome in outcomes:
        tally.count(Attempt("a", 0.0, 0.0), outcome, 0.25)
    return result(Plan(), parse_target("tcp://127.0.0.1:9"), tally)


EMPTY = a_result()
SOME = a_result("ok", "ok", "wait.timeout", "http.503")


@pytest.mark.parametrize(
    "text, reached",
    [
        ("lost>0", True),
        (" lost >= 1 ", True),
        ("lost>1", False),
        ("lost==1.0", True),
        ("lost!=1", False),
        ("attempts<4", False),
        ("attempts<=4.", True),
        ("outcomes.wait.timeout>0", True),
        ("outcomes.http.503==1", True),
        ("outcomes.ok<2", False),
        ("outcomes.connect.refused>0", False),
        ("outcomes.connect.refused==0", True),
        ("reused.lost>-1", True),
        ("latency_ms.total.p99>200", True),
        ("latency_ms.total.p99.9>300", False),
        ("latency_ms.tls.max>=0", False),
        ("burst.syn_spread_ms>=0", False),
        ("retries.syn==0", True),
    ],
)
def test_conditions(text: str, reached: bool) -> None:
    """A condition holds or not; what was not measured reaches nothing."""
    assert parse(text, EMPTY).reached(SOME) is reached


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lost",
        "lost>",
        ">0",
        "lost>x",
        "lost>1ms",
        "lost=>1",
        "lost>0,ok<1",
        "losst>0",
        "outcomes>0",
        "outcomes.>0",
        "outcomes.send.refused>0",
        "outcomes.http.5xx>0",
        "latency_ms>0",
        "latency_ms.total>0",
        "latency_ms.other.p50>0",
        "latency_ms.total.p42>0",
        "burst>0",
        "burst.>0",
        "lost.x>0",
        "target>0",
        "saturated>0",
    ],
)
def test_no_condition(text: str) -> None:
    """What is no condition on a number of the result is named, with what would be right."""
    with pytest.raises(UsageError, match="--fail-on"):
        parse(text, EMPTY)


@pytest.mark.parametrize("text", ["lost>0", "attempts>=12345678", "latency_ms.total.p99.9<0.25"])
def test_shown_as_written(text: str) -> None:
    """A condition is shown as it was given, to the last digit."""
    assert str(parse(text, EMPTY)) == text


def test_keys_can_be_added_up() -> None:
    """A sum is compared as one number; of what was not measured there is no sum."""
    assert parse("lost + outcomes.http.503 == 2", EMPTY).reached(SOME)
    assert str(parse("lost + ok>1", EMPTY)) == "lost+ok>1"
    assert parse("ok+ok+lost==5", EMPTY).value(SOME) == 5
    assert not parse("ok + latency_ms.tls.max >= 0", EMPTY).reached(SOME)


WORDS = Vocabulary(
    "expect",
    {"lost": 0, "causes": {}},
    ("lost", "causes.CAUSE"),
    {"causes": {"backlog_full", "N/A"}.__contains__},
    "'lost == 0'",
)


def test_a_vocabulary_says_what_its_counters_count() -> None:
    """A member that has not occurred counts 0; one that cannot occur is refused by name."""
    result = {"lost": 3, "causes": {"backlog_full": 3}}
    assert read("causes.backlog_full == 3", WORDS).reached(result)
    assert read("causes.N/A == 0", WORDS).value(result) == 0
    for key in ("causes.backlogfull", "causes.", "causes", "outcomes.ok", "verdicts.once"):
        with pytest.raises(UsageError, match=f"^expect .*has no number '{key}'; it has lost, ca"):
            read(f"lost + {key} > 0", WORDS)
    with pytest.raises(UsageError, match=r"^expect 'lost': write KEY OPERATOR .*'lost == 0'$"):
        read("lost", WORDS)
