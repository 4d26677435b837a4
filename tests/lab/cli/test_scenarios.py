"""`vaultstorm scenarios`."""

import json
from pathlib import Path

from tests.support.command import vaultstorm
from vaultstorm import library


def test_the_library_is_listed() -> None:
    """Each scenario with its article, and its variants under it."""
    ended = vaultstorm("scenarios")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "backlog-burst: A burst overruns the accept backlog (KB960007)\n" in ended.stdout
    assert "\n  fixed-backlog " in ended.stdout


def test_what_a_scenario_needs_is_said(tmp_path: Path) -> None:
    """Installed or not: a program is looked for where the run will look for it."""
    program = tmp_path / "granian"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    listed = vaultstorm("scenarios", PATH=f"{tmp_path}:/usr/bin:/bin").stdout
    assert "  needs granian, which is installed\n" in listed


def test_the_library_as_json() -> None:
    """Names, titles, articles and variants."""
    listed = json.loads(vaultstorm("scenarios", "--json=-").stdout)
    names = [scenario["name"] for scenario in listed]
    assert sorted(names) == library.names()
    foreign = [scenario["name"] for scenario in listed if scenario["needs"]]
    assert names == [*sorted(set(names) - set(foreign)), *sorted(foreign)]
    nginx = next(scenario for scenario in listed if scenario["name"] == "reload-nginx")
    (needed,) = nginx["needs"]
    assert (needed["program"], needed["install"]) == ("nginx", "apt-get install nginx")
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
