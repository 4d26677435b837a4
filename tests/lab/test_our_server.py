"""Our own server as a variant's; the runs themselves are in test_variant_run."""

from pathlib import Path
from typing import Any

from tests.lab.tiny import HEAD, write
from vaultstorm import runner
from vaultstorm.scenario import load


def run(directory: Path, variant: str) -> dict[str, Any]:
    """Run one variant, and give its result."""
    text = f'{HEAD}\n[variants.only]\ntitle = "x"\nwhy = "y"\n{variant}'
    outcome = runner.run(load(write(directory, text)), runner.Options(out=directory / "out"))
    assert outcome.result["violations"] == []
    result: dict[str, Any] = outcome.result["variants"]["only"]
    return result


def test_others_may_take_the_places_of_the_queue(tmp_path: Path) -> None:
    """So that whoever comes finds none, however few they are."""
    result = run(
        tmp_path,
        """load = { clients = 1, requests = 2 }
        actions = [{ at = 0, action = "gate closed" }, { at = 0, action = "occupy 2" }]
        expect = ["lost == 2", "causes.backlog_full == 2", "unexplained == 0"]""",
    )
    assert result["passed"], result["expectations"]
    assert (result["server"], result["version"], result["notes"]) == ("vaultstorm", None, [])
