"""Figures in the documentation."""

from pathlib import Path

import pytest

from bench.children import BenchError
from bench.pages import put, table


def test_a_table_is_markdown_with_its_columns_lined_up() -> None:
    """Every row has as many cells as the heading, and all are equally wide."""
    assert table(["server", "lost"], [["nginx 1.22.1", "80"], ["x", "0"]]) == (
        "| server       | lost |\n"
        "| ------------ | ---- |\n"
        "| nginx 1.22.1 | 80   |\n"
        "| x            | 0    |"
    )


def test_only_what_stands_between_the_marks_is_replaced(tmp_path: Path) -> None:
    """What is before and after stays, and so do the figures of another measurement."""
    page = tmp_path / "page.md"
    other = "<!-- begin: bench other -->\nkept\n<!-- end -->\n"
    page.write_text(f"# A\n<!-- begin: bench one -->\nold\n<!-- end -->\n{other}B\n")
    for text in (r"new \1", r"newer \g<2>"):
        put(page, "one", text)
        assert page.read_text() == (
            f"# A\n<!-- begin: bench one -->\n\n{text}\n\n<!-- end -->\n{other}B\n"
        )


def test_a_page_without_a_place_for_it_is_said(tmp_path: Path) -> None:
    """Neither a page that is missing nor one without the marks is written."""
    page = tmp_path / "page.md"
    with pytest.raises(BenchError, match=r"cannot read .*page\.md: No such file"):
        put(page, "one", "text")
    page.write_text("<!-- begin: bench one -->\nit does not end\n")
    with pytest.raises(BenchError, match="the table has no place in it"):
        put(page, "one", "text")
    assert page.read_text().endswith("does not end\n")
