"""What the documentation has from the code is as the code is."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from docs import generate
from docs.generator import states, tables
from vaultstorm_server.w3svc import states as worker_states

ROOT = Path(__file__).parent.parent.parent
DRAWINGS = sorted(generate.DRAWINGS)


def test_pages_and_drawings_are_up_to_date() -> None:
    """`python -m docs.generate` would change nothing."""
    files = generate.files()
    old = [path for path, text in files.items() if path.read_text(encoding="utf-8") != text]
    assert [str(path.relative_to(ROOT)) for path in old] == []


def test_every_process_generates_the_same() -> None:
    """No order of a set, which differs from process to process, gets into a file."""
    command = [sys.executable, "-m", "docs.generate", "--check"]
    for seed in ("1", "2"):
        subprocess.run(command, cwd=ROOT, env={"PYTHONHASHSEED": seed}, check=True)


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_whole(name: str) -> None:
    """It is XML with a title, a description and its own size, and loads nothing."""
    text = (ROOT / "docs" / "img" / f"{name}.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert root.get("viewBox")
    assert root.get("aria-labelledby") == f"{name}-title {name}-desc"
    assert text.count("://") == 1
    used = set(re.findall(r"url\(#([\w-]+)\)", text))
    assert used <= {node.get("id") for node in root.iter()}


def test_every_drawing_stands_in_a_page() -> None:
    """None is drawn for nobody."""
    pages = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md"))
    assert [name for name in DRAWINGS if f"img/{name}.svg)" not in pages] == []


def test_a_state_diagram_has_every_transition() -> None:
    """What is in the table is in the drawing."""
    drawn = states.worker()
    assert drawn.count("<path class=") - 3 == len(
        {
            (state, after)
            for state, changes in worker_states.TRANSITIONS.items()
            for after in changes.values()
        }
    )


def test_a_table_keeps_its_columns() -> None:
    """A bar in a cell does not begin another, and a line break does not end the row."""
    assert tables.table(("a", "b"), [("x | y", "1\n2")]).splitlines() == [
        "| a | b |",
        "| --- | --- |",
        "| x \\| y | 1 2 |",
    ]
