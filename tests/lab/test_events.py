"""Events, by name and by number."""

import pytest

from vaultstorm.events import COUNTED, VAULT_CHAIN, count


@pytest.mark.parametrize(
    "name, known",
    [
        ("1009", True),
        ("1008", False),
        ("recycle", True),
        ("worker_died", True),
        ("worker_dyed", False),
        *((name, True) for name in VAULT_CHAIN),
        ("corruption_crash", True),
        ("hotfix_step", True),
        ("protection_began", True),
        ("exporter_started", True),
        ("hotfix_applied", True),
        ("hotfix_failed", True),
        ("Timer_ConnectionIdle", True),
        ("Timer_Foo", False),
        ("Timer_", False),
        ("", False),
    ],
)
def test_what_may_be_counted(name: str, known: bool) -> None:
    """A slip of the keyboard is none of them."""
    assert (name in COUNTED) is known


def test_an_entry_of_the_event_log_counts_by_both() -> None:
    """Its name is that of all entries; those without a number count by name alone."""
    rows = [("event_log", 1009, 2), ("event_log", None, 1), ("recycle", None, 4)]
    assert count(rows) == {"1009": 2, "event_log": 3, "recycle": 4}
    assert count([]) == {}
