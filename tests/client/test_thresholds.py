"""Conditions of --fail-on."""

from typing import Any

import pytest

from vaultstorm_client.attempt import Attempt
from vaultstorm_client.plan import Plan
from vaultstorm_client.result import result
from vaultstorm_client.tally import Tally
from vaultstorm_client.target import parse as parse_target
from vaultstorm_client.thresholds import parse
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
