"""Conditions of --fail-on."""

import re
from typing import Any

import pytest

from vaultstorm_client.attempt import Attempt
from vaultstorm_client.plan import Plan
from vaultstorm_client.result import result
from vaultstorm_client.tally import Tally
from vaultstorm_client.target import parse as parse_target
from vaultstorm_client.thresholds import Vocabulary, is_number, parse, read
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
    {"causes": ("backlog_full", "N/A", "1009")},
    "'lost == 0'",
)


def test_a_vocabulary_says_what_its_counters_count() -> None:
    """A member that has not occurred counts 0; one that cannot occur is refused by name."""
    result = {"lost": 3, "causes": {"backlog_full": 3}}
    assert read("causes.backlog_full == 3", WORDS).reached(result)
    assert read("causes.N/A == 0", WORDS).value(result) == 0
    for key in ("causes.backlogfull", "causes.", "causes", "outcomes.ok", "verdicts.once"):
        with pytest.raises(UsageError, match=f"^expect .*: there is no number '{key}'; "):
            read(f"lost + {key} > 0", WORDS)
    with pytest.raises(UsageError, match=r"^expect 'lost': write KEY OPERATOR .*'lost == 0'$"):
        read("lost", WORDS)


@pytest.mark.parametrize(
    "key, meant",
    [
        ("lots", "did you mean lost?"),
        ("LOST", "did you mean lost?"),
        ("cause.CAUSE", "did you mean causes.CAUSE?"),
        ("causes.backlog", "did you mean causes.backlog_full?"),
        ("causes.zz", "causes has backlog_full, N/A, 1009"),
        ("causes.1008", "causes has backlog_full, N/A, 1009"),
        ("zz", "there are lost, causes.CAUSE"),
    ],
)
def test_the_nearest_key_is_named(key: str, meant: str) -> None:
    """Among the members of its counter, if it has one; where none is near, all are named."""
    with pytest.raises(UsageError) as caught:
        read(f"{key} == 0", WORDS)
    assert str(caught.value) == f"expect '{key} == 0': there is no number '{key}'; {meant}"


@pytest.mark.parametrize(
    "text, right",
    [
        ("1==lost", "the number stands on the right: write 'lost == 1'"),
        ("1 < lost + ok", "the number stands on the right: write 'lost + ok > 1'"),
        ("-1 >= lost", "the number stands on the right: write 'lost <= -1'"),
        ("1 == 1", "write KEY OPERATOR NUMBER, such as 'lost == 0'"),
        ("ok + 3", "numbers cannot be added, only keys can; write KEY OPERATOR NUMBER, such as"),
        ("ok + 3 == 4", "numbers cannot be added, only keys can; write KEY OPERATOR NUMBER, such"),
        ("3 + ok == 4", "numbers cannot be added, only keys can; write KEY OPERATOR NUMBER, such"),
        ("lost = 0", "write KEY OPERATOR NUMBER, such as 'lost == 0'"),
    ],
)
def test_what_would_be_right_is_said(text: str, right: str) -> None:
    """A number on the left is turned around; one that is added to something is named."""
    with pytest.raises(UsageError) as caught:
        read(text, WORDS)
    assert str(caught.value).startswith(f"expect {text!r}: {right}")


def test_what_is_a_number() -> None:
    """As it may stand on the right: a sign, and a fraction."""
    assert all(map(is_number, ("0", " -1 ", "1.5", "2.")))
    assert not any(map(is_number, ("", "x", "1s", "0x1", "1e3", "+1", "lost")))


AGENTS = result(Plan(workload="agent"), parse_target("http://127.0.0.1:9"), Tally())


@pytest.mark.parametrize(
    "text", ["vault.lost>0", "vault.snapshots.failed==1", "vault.lost+vault.corrupt>=2"]
)
def test_what_agents_count(text: str) -> None:
    """Conditions on the vault's numbers hold or not, and need agents."""
    found = {**AGENTS["vault"], "lost": 1, "corrupt": 1, "snapshots": {"failed": 1}}
    limit = parse(text, AGENTS)
    assert limit.reached({**AGENTS, "vault": found})
    assert not limit.reached(AGENTS)
    with pytest.raises(UsageError, match="--workload agent"):
        parse(text, EMPTY)


def at_rpc(*attempts: tuple[str, str]) -> dict[str, Any]:
    """Give a result of an rpc:// target with these operations and outcomes."""
    tally = Tally()
    for operation, outcome in attempts:
        attempt = Attempt("a", 0.0, 0.0)
        attempt.operation = operation
        tally.count(attempt, outcome, 0.25)
    return result(Plan(), parse_target("rpc://127.0.0.1"), tally)


NO_RPC = at_rpc()
SOME_RPC = at_rpc(
    ("activation", "ok"),
    ("activation", "rpc.0x1c010014"),
    ("call", "connect.refused"),
    ("call", "bind.reset"),
)


@pytest.mark.parametrize(
    "text, reached",
    [
        ("rpc.call.lost==2", True),
        ("rpc.activation.lost>0", False),
        ("rpc.activation.ok + rpc.call.ok == 1", True),
        ("rpc.activation.attempts<2", False),
        ("rpc_errors.0x800706BA>0", True),
        ("rpc_errors.0x800706BE>0", False),
        ("rpc_errors.0x800706BA + rpc_errors.0x800706BF == 2", True),
        ("rpc.call.outcomes.connect.refused==1", True),
        ("rpc.call.outcomes.wait.reset==0", True),
        ("rpc.call.errors.0x800706BF==1", True),
        ("outcomes.rpc.0x1c010014==1", True),
        ("lost + rpc.call.lost == 4", True),
    ],
)
def test_what_rpc_targets_count(text: str, reached: bool) -> None:
    """Conditions on an operation, or on what Windows shows, hold or not."""
    assert parse(text, NO_RPC).reached(SOME_RPC) is reached


@pytest.mark.parametrize(
    "text", ["rpc.call.lost>0", "rpc_errors.0x800706BA>0", "lost + rpc.call.lost > 0"]
)
def test_rpc_needs_its_target(text: str) -> None:
    """Elsewhere there are no such numbers; outcomes of that name can be asked for everywhere."""
    with pytest.raises(UsageError, match="of rpc:// targets only"):
        parse(text, EMPTY)
    assert not parse("outcomes.rpc.0x1c010014>0", EMPTY).reached(SOME)


@pytest.mark.parametrize(
    "text, said",
    [
        ("rpc.calls.lost>0", "rpc.call.lost"),
        ("rpc.call>0", "did you mean rpc.call."),
        ("rpc.call.outcomes.connect.refussed>0", "did you mean rpc.call.outcomes.OUTCOME?"),
        ("rpc.call.errors.0x1>0", "did you mean rpc.call."),
        ("rpc.call.peers>0", "did you mean rpc.call."),
        ("rpc_errors.0x800706ba>0", "did you mean rpc_errors.0x800706BA?"),
        ("rpc_errors.1722>0", "rpc_errors has 0x8007"),
        ("rpc_errors>0", "rpc_errors.HRESULT"),
        ("outcomes.rpc.toobusy>0", "did you mean outcomes.rpc.STATUS?"),
    ],
)
def test_what_rpc_targets_do_not_count(text: str, said: str) -> None:
    """A number that there is not is refused, with those that there are."""
    with pytest.raises(UsageError, match=re.escape(said)):
        parse(text, NO_RPC)


@pytest.mark.parametrize("text", ["vault>0", "vault.los>0", "vault.snapshots>0", "vault.lost.x>0"])
def test_what_agents_do_not_count(text: str) -> None:
    """A number that the vault does not have is refused, with those that it has."""
    with pytest.raises(UsageError, match=r"no number 'vault.*vault\.(lost|snapshots\.failed)"):
        parse(text, AGENTS)
