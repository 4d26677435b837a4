"""`vaultstorm doctor`: what is shown of its findings."""

import json

from tests.support.command import vaultstorm


def test_json_and_text_agree_with_the_exit_code() -> None:
    """Fit is 0, not fit is 1; the JSON says the same, finding by finding."""
    ended = vaultstorm("doctor", "--port", "65000", "--json", "-")
    result = json.loads(ended.stdout)
    assert result["fit"] is (ended.returncode == 0)
    assert result["clients"] == 1000
    levels = {finding["level"] for finding in result["findings"]}
    assert result["fit"] is ("bad" not in levels)
    for finding in result["findings"]:
        assert set(finding) == {"name", "level", "value", "why", "fix"}


def test_a_size_no_machine_has() -> None:
    """A billion clients are too many: 1, and the findings say how many would fit."""
    ended = vaultstorm("doctor", "--clients", "1000000000")
    assert ended.returncode == 1
    assert "not fit for a burst of 1000000000 clients" in ended.stdout
    assert "$ --clients " in ended.stdout
