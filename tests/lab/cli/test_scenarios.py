"""`vaultstorm scenarios`."""

import json

from tests.support.command import vaultstorm
from vaultstorm import library


def test_the_library_is_listed() -> None:
    """Each scenario with its article, and its variants under it."""
    ended = vaultstorm("scenarios")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "backlog-burst: A burst overruns the accept backlog (KB960007)\n" in ended.stdout
    assert "\n  fixed-backlog " in ended.stdout


def test_the_library_as_json() -> None:
    """Names, titles, articles and variants."""
    listed = json.loads(vaultstorm("scenarios", "--json=-").stdout)
    assert [scenario["name"] for scenario in listed] == library.names()
    burst = next(scenario for scenario in listed if scenario["name"] == "backlog-burst")
    assert burst["article"] == "KB960007"
    assert [variant["name"] for variant in burst["variants"]] == [
        "broken",
        "workaround-dynamic-alone",
        "fixed-backlog",
        "fixed-dynamic",
        "linux-drop",
        "windows-refuse",
    ]
