"""The entries of Windows' event log."""

import pytest

from vaultstorm_server.w3svc import eventlog
from vaultstorm_server.w3svc.eventlog import Entry, Template, entry, recycled, unhealthy
from vaultstorm_server.w3svc.recycling import Reason


@pytest.mark.parametrize(
    "template, number, level, words",
    [
        (eventlog.DISABLED, 1002, "error", "'P' is being automatically disabled"),
        (eventlog.CRASHED, 1009, "warning", "'P' terminated unexpectedly. The process id was '42'"),
        (eventlog.SILENT, 1010, "warning", "failed to respond to a ping. The process id was '42'"),
        (eventlog.BROKEN, 1011, "warning", "suffered a fatal communication error with the World"),
        (eventlog.SLOW_START, 1012, "warning", "exceeded time limits during start up. The process"),
        (eventlog.SLOW_END, 1013, "warning", "exceeded time limits during shut down. The process"),
        (eventlog.NOT_STARTED, None, "error", "'P' could not be started"),
    ],
)
def test_each_failure_has_its_entry(
    template: Template, number: int | None, level: str, words: str
) -> None:
    """Number, source and wording are the documented ones, pool and process filled in."""
    made = entry(template, "P", 42)
    assert made[:3] == (number, "W3SVC", level)
    assert words in made.text
    assert "{" not in made.text
    assert made.worker == 42


@pytest.mark.parametrize(
    "status, code", [(0, "0x0"), (5, "0x5"), (255, "0xff"), (-9, "0xfffffff7")]
)
def test_a_crash_tells_the_exit_code_in_hexadecimal(status: int, code: str) -> None:
    """A signal's negative status is a DWORD like all others."""
    made = entry(eventlog.CRASHED, "P", 42, code=status)
    assert made.text.endswith(f"The process exit code was '{code}'.")


def test_a_pool_may_have_braces_in_its_name() -> None:
    """A name is filled in, never read as a pattern."""
    assert "'{pid}'" in entry(eventlog.DISABLED, "{pid}").text


def test_what_went_wrong_stands_in_the_data_field() -> None:
    """The text of 1011 says where to look for it, and it is there."""
    assert entry(eventlog.BROKEN, "P", 42, "it broke").data == "it broke"


def test_an_isapi_is_unhealthy_with_a_reason_or_without() -> None:
    """2262 tells the reason, 2263 that there is none; both are the worker's own (W3SVC-WP)."""
    with_reason = unhealthy("entries leak {x}", 42)
    assert with_reason[:3] == (2262, "W3SVC-WP", "warning")
    assert with_reason.text.endswith("for the following reason: 'entries leak {x}'.")
    without = unhealthy("", 42)
    assert without[:3] == (2263, "W3SVC-WP", "warning")
    assert without.text.endswith("No reason was given by the ISAPI.")


@pytest.mark.parametrize("reason", Reason)
def test_each_recycle_has_its_text(reason: Reason) -> None:
    """All name the pool; those of one worker name its process; none claims a number."""
    pid = None if reason.whole_pool else 42
    made = recycled(reason, "P", pid)
    assert isinstance(made, Entry)
    assert (made.event_id, made.level, made.worker) == (None, "info", pid)
    assert "'P'" in made.text
    assert ("'42'" in made.text) is not reason.whole_pool
    assert "{" not in made.text
