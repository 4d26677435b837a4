"""Settings that are changed while the server runs."""

from typing import Any

import msgspec
import pytest

from vaultstorm_server.admin.assignment import EXAMPLE, read, shown
from vaultstorm_server.settings import AppPool
from vaultstorm_wire.errors import UsageError


@pytest.mark.parametrize(
    "text, change, told",
    [
        ("apppool.MaxProcesses=2", {"MaxProcesses": 2}, {"value": 2}),
        (
            " apppool.PeriodicRestartTime = 0.5",
            {"PeriodicRestartTime": 30.0},
            {"value": 0.5, "unit": "min"},
        ),
        (
            "apppool.PeriodicRestartTime=3s",
            {"PeriodicRestartTime": 3.0},
            {"value": 0.05, "unit": "min"},
        ),
        (
            "apppool.PeriodicRestartMemory=512MiB",
            {"PeriodicRestartMemory": 512 << 20},
            {"value": 512 << 10, "unit": "KiB"},
        ),
        (
            "apppool.PeriodicRestartSchedule=03:00,15:30",
            {"PeriodicRestartSchedule": "03:00,15:30"},
            {"value": "03:00,15:30"},
        ),
        ("apppool.PeriodicRestartSchedule=", {"PeriodicRestartSchedule": ""}, {"value": ""}),
        (EXAMPLE, {"PeriodicRestartRequests": 500}, {"value": 500}),
    ],
)
def test_one_key_is_changed_and_the_others_stay(
    text: str, change: dict[str, Any], told: dict[str, Any]
) -> None:
    """Units are those of the configuration; what is told is in the key's own."""
    current = AppPool(Name="other", PingInterval=7.0)
    changed, key = read(text, current)

    assert changed == msgspec.structs.replace(current, **change)
    assert shown(changed, key) == {"setting": text.partition("=")[0].strip(), **told}


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "write it as apppool.PeriodicRestartRequests=500"),
        ("=1", "write it as"),
        (".=1", "write it as"),
        ("apppool.=1", "write it as"),
        ("apppool.MaxProcesses", "write it as"),
        ("MaxProcesses=3", "did you mean apppool.MaxProcesses=3?"),
        ("maxproceses=3", "did you mean apppool.MaxProcesses=3?"),
        ("x=3", "stands without its section: write it as"),
        ("appool.MaxProcesses=3", r"did you mean \[apppool\]?"),
        ("apppool.MaxProceses=3", "did you mean apppool.MaxProcesses?"),
        ("apppool.KB908739=1", "did you mean httpsys.KB908739?"),
        ("httpsys.KB908739=1", "read once, when the server starts"),
        ("apppool.Name=x", "apppool.Name is read once"),
        ("apppool.OrphanActionExe=/bin/sh", "apppool.OrphanActionExe is read once"),
        ("apppool.OrphanActionParams=%1%", "apppool.OrphanActionParams is read once"),
        ("apppool.MaxProcesses=0", "apppool.MaxProcesses = 0 is out of range: 1 to 64"),
        ("apppool.MaxProcesses=65", "out of range: 1 to 64"),
        ("apppool.MaxProcesses=two", "is not a whole number"),
        ("apppool.MaxProcesses=", "is not a whole number"),
        ("apppool.PingInterval=soon", "is not a duration such as 500ms"),
        ("apppool.PeriodicRestartSchedule=25:00", "apppool.PeriodicRestartSchedule = 25:00 is"),
    ],
)
def test_a_wrong_one_is_told_what_would_be_right(text: str, said: str) -> None:
    """A sentence, without the words of a command line that nobody has written."""
    with pytest.raises(UsageError, match=said) as told:
        read(text, AppPool())
    assert "--set" not in str(told.value)
