"""Expectations, at their boundaries."""

from typing import Any

import pytest

from vaultstorm.expectation import CAUSES, check, parse
from vaultstorm_wire.errors import UsageError

SUMMARY: dict[str, Any] = {
    "attempts": 100,
    "ok": 10,
    "lost": 90,
    "outcomes": {"ok": 10, "tls.reset": 90},
    "causes": {"backlog_full": 90},
    "verdicts": {"once": 10, "never": 90, "twice": 0, "unknown": 0},
    "unexplained": 0,
    "reused": {"attempts": 60, "lost": 90},
    "events": {"1009": 1, "recycle": 12},
    "latency_ms": {"total": {"p99": 1000.0}, "tls": None},
    "acknowledged": {"blocks": 30, "snapshots": 4, "lost": 0, "changed": 1},
    "interfaces": {"peak": 64},
    "threads_held": {"peak": 0},
    "vault": {"snapshots": {"committed": 4}, "lost": 1, "corrupt": 0},
    "rpc_errors": {"0x800706BA": 5, "0x800706BF": 85},
    "rpc": {
        "call": {
            "attempts": 100,
            "ok": 10,
            "lost": 90,
            "outcomes": {"ok": 10, "bind.reset": 85, "connect.refused": 5},
            "errors": {"0x800706BA": 5, "0x800706BF": 85},
            "causes": {"backlog_full": 90},
            "verdicts": {"once": 10, "never": 90, "twice": 0, "unknown": 0},
        }
    },
}


@pytest.mark.parametrize(
    "text, actual, passed",
    [
        ("lost == 90", 90, True),
        ("lost == 89", 90, False),
        ("lost > 89", 90, True),
        ("lost > 90", 90, False),
        ("lost >= 90", 90, True),
        ("lost < 91", 90, True),
        ("lost < 90", 90, False),
        ("lost <= 90", 90, True),
        ("lost != 90", 90, False),
        ("outcomes.tls.reset + outcomes.connect.reset == 90", 90, True),
        ("outcomes.http.503 == 0", 0, True),
        ("causes.QueueFull == 0", 0, True),
        ("causes.backlog_full > 0", 90, True),
        ("verdicts.twice == 0", 0, True),
        ("unexplained == 0", 0, True),
        ("events.1009 == 1", 1, True),
        ("events.1010 == 0", 0, True),
        ("events.recycle > 12", 12, False),
        ("events.worker_died == 0", 0, True),
        ("latency_ms.total.p99 > 1000", 1000, False),
        ("latency_ms.total.p99 > 999.9", 1000, True),
        ("latency_ms.tls.p99 >= 0", None, False),
        ("acknowledged.lost == 0", 0, True),
        ("acknowledged.lost + acknowledged.changed == 0", 1, False),
        ("acknowledged.blocks + acknowledged.snapshots == 34", 34, True),
        ("interfaces.peak >= 64", 64, True),
        ("interfaces.peak > 64", 64, False),
        ("threads_held.peak == 0", 0, True),
        ("vault.snapshots.committed == 4", 4, True),
        ("vault.lost == 0", 1, False),
        ("causes.pool_hung == 0", 0, True),
        ("events.wrong_release == 0", 0, True),
        ("rpc_errors.0x800706BA > 4", 5, True),
        ("rpc_errors.0x800706BE == 0", 0, True),
        ("rpc_errors.0x800706BA + rpc_errors.0x800706BF == 90", 90, True),
        ("rpc.call.lost == 90", 90, True),
        ("rpc.call.outcomes.bind.reset < 85", 85, False),
        ("rpc.call.outcomes.rpc.0x1c010014 == 0", 0, True),
        ("rpc.call.errors.0x800706BF == 85", 85, True),
        ("rpc.call.causes.backlog_full == 90", 90, True),
        ("rpc.call.causes.call_limit == 0", 0, True),
        ("rpc.call.verdicts.never == 90", 90, True),
        ("rpc.activation.attempts == 0", 0, True),
        ("rpc.activation.verdicts.once == 0", 0, True),
        ("causes.exporter_gone == 0", 0, True),
    ],
)
def test_boundaries(text: str, actual: object, passed: bool) -> None:
    """The check stands as it was written, beside the number and whether it holds."""
    assert check(text, SUMMARY) == {"check": text, "actual": actual, "passed": passed}


@pytest.mark.parametrize(
    "text, actual, against, passed",
    [
        ("reused.lost == lost", 90, 90, True),
        ("reused.lost != lost", 90, 90, False),
        ("lost>=reused.attempts + verdicts.never", 90, 150, False),
        ("ok + lost == attempts", 100, 100, True),
        ("ok + lost <= attempts", 100, 100, True),
        ("ok < events.recycle", 10, 12, True),
        ("ok > events.recycle", 10, 12, False),
        ("causes.QueueFull == outcomes.http.503", 0, 0, True),
        ("latency_ms.tls.p99 == lost", None, 90, False),
        ("lost >= latency_ms.tls.p99", 90, None, False),
    ],
)
def test_two_sums(text: str, actual: object, against: object, passed: bool) -> None:
    """Both are told; what was not measured is equal to nothing."""
    expected = {"check": text, "actual": actual, "against": against, "passed": passed}
    assert check(text, SUMMARY) == expected


@pytest.mark.parametrize(
    "text",
    [
        "losst == 0",
        "lost == losst",
        "losst == lost",
        "events.1008 == 0",
        "events.worker_dyed == 0",
        "causes.backlog_ful == 0",
        "causes == 0",
        "outcomes.send.refused == 0",
        "verdicts.thrice == 0",
        "events.Timer_Foo == 0",
        "latency_ms.total.p98 > 0",
        "latency_ms.dns.p99 > 0",
        "rpc_errors.0x800706BG == 0",
        "rpc.call.outcomes.send.refused == 0",
        "rpc.call.causes.backlog_ful == 0",
        "rpc.call.verdicts.thrice == 0",
        "rpc.calls.lost == 0",
        "rpc.call == 0",
        "title == 0",
        "acknowledged.gone == 0",
        "vault.acknowledged == 0",
        "interfaces == 0",
    ],
)
def test_unknown_keys_are_errors_when_the_file_is_read(text: str) -> None:
    """A slip of the keyboard must not look like an expectation that holds."""
    key = text.split()[-1 if text.startswith("lost ") else 0]
    said = rf"^here '{text}': there is no number '{key}'; "
    with pytest.raises(UsageError, match=said):
        parse(text, "here")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lost",
        "lost = 0",
        "lost == 0x",
        "== lost",
        "lost == ok +",
        "lost ! == ok",
        "ok == 1 + lost",
    ],
)
def test_what_is_no_condition(text: str) -> None:
    """It is told how one is written, and that a key may stand on the right as well."""
    said = "write KEY OPERATOR NUMBER, or KEY OPERATOR KEY, such as 'lost == 0' or 'reused.lost == "
    with pytest.raises(UsageError, match=f"^here .*{said}"):
        parse(text, "here")


@pytest.mark.parametrize(
    "text, said",
    [
        ("1 == lost", "the number stands on the right: write 'lost == 1'"),
        ("ok + 3", "numbers cannot be added, only keys can; write KEY"),
        ("ok + 3 == lost", "numbers cannot be added, only keys can; write KEY"),
        ("lost == ok + 3", "numbers cannot be added, only keys can; write KEY"),
        ("lots == 0", "there is no number 'lots'; did you mean lost?"),
        ("ok == lots", "there is no number 'lots'; did you mean lost?"),
        ("causes.QueueFul == 6", "there is no number 'causes.QueueFul'; did you mean causes.Qu"),
        ("events.worker_dyed == 0", "there is no number 'events.worker_dyed'; did you mean eve"),
        ("events.xyz == 0", "there is no number 'events.xyz'; events has 1002, 1009, 1010, 1011,"),
    ],
)
def test_what_would_be_right_is_said(text: str, said: str) -> None:
    """The condition turned around, the nearest name, or all names that there are."""
    with pytest.raises(UsageError) as caught:
        parse(text, "here")
    assert str(caught.value).startswith(f"here {text!r}: {said}")


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_every_cause_can_be_expected(cause: str) -> None:
    """Also those whose name has a slash in it."""
    assert check(f"causes.{cause} == 1", {"causes": {cause: 1}})["passed"]


@pytest.mark.parametrize("key", ["rpc.call.lost", "rpc.activation.ok"])
def test_what_nobody_asked_for_by_rpc_is_not_measured(key: str) -> None:
    """A load of HTTP has no activation that could have failed."""
    checked = check(f"{key} == 0", {**SUMMARY, "rpc": None})
    assert (checked["actual"], checked["passed"]) == (None, False)


@pytest.mark.parametrize("key", ["vault.lost", "vault.snapshots.committed", "vault.verified.bytes"])
def test_what_agents_count_is_not_measured_without_agents(key: str) -> None:
    """A load without agents has found nothing lost, and nothing kept."""
    for text in (f"{key} == 0", f"{key} != 0"):
        assert check(text, {**SUMMARY, "vault": None}) == {
            "check": text,
            "actual": None,
            "passed": False,
        }


CLIENT: dict[str, Any] = {
    "exit": 1,
    "signal": None,
    "duration_s": 1.5,
    "connections": {"accepted": 3, "turned_away": 4},
    "requests": {"received": 62, "distinct": 60, "repeated": 2, "answered": 59},
    "executed_twice": None,
    "given_up": 1,
    "causes": {"Connection_Dropped": 1},
}


@pytest.mark.parametrize(
    "text, actual, passed",
    [
        ("client.exit == 0", 1, False),
        ("client.exit == 1", 1, True),
        ("client.signal == 0", None, False),
        ("client.executed_twice == 0", None, False),
        ("client.given_up == 0", 1, False),
        ("client.given_up <= 1", 1, True),
        ("client.requests.received > 61", 62, True),
        ("client.requests.repeated == 2", 2, True),
        ("client.connections.turned_away == 4", 4, True),
        ("client.duration_s < 2", 1.5, True),
        ("client.causes.Connection_Dropped == 1", 1, True),
        ("client.causes.unanswered == 0", 0, True),
        ("client.requests.answered + client.given_up == client.requests.distinct", 60, True),
    ],
)
def test_a_foreign_client_can_be_expected_of(text: str, actual: float, passed: bool) -> None:
    """What the server saw of it; what was not measured meets nothing."""
    found = check(text, SUMMARY | {"client": CLIENT})
    assert (found["actual"], found["passed"]) == (actual, passed)
    of_ours = check(text, SUMMARY | {"client": None})
    assert (of_ours["actual"], of_ours["passed"]) == (None, False)


@pytest.mark.parametrize("text", ["client.exits == 0", "client.causes.Nothing == 0", "client == 0"])
def test_a_foreign_client_has_no_other_numbers(text: str) -> None:
    """A slip is named."""
    with pytest.raises(UsageError, match="client"):
        parse(text, "expect")
