"""The page that says how fast it is."""

from pathlib import Path

import pytest

from bench import __main__ as bench
from bench import speed
from bench.children import BenchError
from bench.result import Column, Growth, Measurement

FACTS = {"processor": "P", "cores": 2, "kernel": "6", "python": "3.11", "load_1min": "0.10"}


def made() -> Measurement:
    """Make one that reaches a target and misses another."""
    result = Measurement("quick", "a burst", [Column("ms", "ms")], growth=Growth("n", "ms"))
    result.row("ours").add(ms=2.5)
    result.growth = Growth("n", "ms", {"ours": {1: [2.5], 10: [3.0]}})
    result.hold("ms", 2.5, 3.0)
    result.hold("rate", 1.0, 2000.0, at_most=False)
    result.notes.append("a word")
    return result


def test_a_measurement_is_put_into_the_page_with_its_plot(tmp_path: Path) -> None:
    """Table, targets with their outcome, notes, drawing and machine; what stood there is gone."""
    page = tmp_path / "speed.md"
    page.write_text("# Fast\n\n<!-- begin: bench quick -->\nold\n<!-- end -->\n\nafter\n")
    speed.publish(made(), FACTS, page, tmp_path)

    text = page.read_text()
    assert "A burst:\n" in text
    assert "| ms     | at most 3      | 2.50     | reached    |" in text
    assert "| rate   | at least 2,000 | 1.00     | **missed** |" in text
    assert "- a word\n" in text
    assert "![ms by n](img/speed-quick.svg)" in text
    assert "P, 2 cores, Linux 6, Python 3.11; load average 0.10 before." in text
    assert "old" not in text
    assert text.endswith("<!-- end -->\n\nafter\n")
    assert (tmp_path / "speed-quick.svg").read_text().startswith("<svg ")


def test_a_page_without_a_place_is_an_error(tmp_path: Path) -> None:
    """No drawing is left behind that nothing shows."""
    page = tmp_path / "speed.md"
    page.write_text("nothing")
    with pytest.raises(BenchError, match="no <!-- begin: bench quick -->"):
        speed.publish(made(), FACTS, page, tmp_path)
    assert not list(tmp_path.glob("*.svg"))


def test_the_page_has_a_place_and_a_command_for_every_row() -> None:
    """Each measurement of speed is one that there is, and stands in the page with its name."""
    text = speed.PAGE.read_text()
    assert set(bench.SPEED) <= set(bench.MEASUREMENTS)
    for name in bench.SPEED:
        assert f"<!-- begin: bench {name} -->" in text
        assert f"python -m bench {name} --write" in text
