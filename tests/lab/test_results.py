"""What came of one variant, put together."""

import json
from pathlib import Path
from typing import Any

from tests.lab.tiny import FIXED, HEAD, write
from vaultstorm import results
from vaultstorm.scenario import load

SUMMARY: dict[str, Any] = {
    **dict.fromkeys(("attempts", "ok", "lost", "unexplained"), 0),
    **{name: {} for name in ("outcomes", "causes", "verdicts", "events")},
    "acknowledged": dict.fromkeys(("blocks", "snapshots", "lost", "changed"), 0),
}


def result(directory: Path, told: dict[str, Any] | None, foreign: bool) -> dict[str, Any]:
    """Give the result of a variant whose load was ours, or somebody else's."""
    scenario = load(write(directory, f"{HEAD}{FIXED}"))
    name = "burst.json"
    content: dict[str, Any] = {"seed": 5}
    if foreign:
        name, content = "client.json", {"notes": ["n"]}
    (directory / name).write_text(json.dumps(content))
    (variant,) = scenario.variants
    record = results.record(scenario, variant, directory)
    assert (record.server, record.client) == ("vaultstorm", "foreign" if foreign else "burst")
    return results.result(variant, record, directory, {**SUMMARY, "client": told}, ["it broke"])


def test_a_load_of_ours_is_held_to_the_scenario(tmp_path: Path) -> None:
    """A failure of the run is one more check."""
    assert not results.has_ended(tmp_path)
    made = result(tmp_path, None, False)
    assert results.has_ended(tmp_path)
    assert [check["check"] for check in made["expectations"]] == [
        *("ok == 5", "verdicts.once == 5", "runs as it is written"),
    ]
    assert (made["seed"], made["client"], made["notes"], made["passed"]) == (5, None, [], False)
    assert made["latency_ms"]["total"] is None


def test_a_client_is_held_to_what_is_expected_of_every_client(tmp_path: Path) -> None:
    """What could not be measured is not checked."""
    told: dict[str, Any] = {"exit": 0, "executed_twice": 0, "given_up": 0, "causes": {}}
    checks = [check["check"] for check in result(tmp_path, told, True)["expectations"]]
    assert checks[:3] == [
        *("client.exit == 0", "client.executed_twice == 0", "client.given_up == 0"),
    ]
    made = result(tmp_path, {**told, "executed_twice": None}, True)
    checks = [check["check"] for check in made["expectations"]]
    assert checks == ["client.exit == 0", "client.given_up == 0", "runs as it is written"]
    assert made["notes"] == ["n"]
    made = result(tmp_path, {**told, "given_up": None}, True)
    assert [check["check"] for check in made["expectations"]] == [
        *("client.exit == 0", "client.executed_twice == 0", "runs as it is written"),
    ]
