"""The figures of other people's servers."""

import pytest

from bench import foreign
from bench.result import Measurement
from vaultstorm import library


def test_all_foreign_scenarios_are_measured_and_no_other() -> None:
    """Those that reload, and the one whose queue is too short."""
    kinds = ("reload-", "backlog-nginx")
    assert foreign.names() == [name for name in library.names() if name.startswith(kinds)]
    assert "backlog-nginx" in foreign.names()


@pytest.mark.parametrize(
    "version, named",
    [
        ("gunicorn (version 27.0.1)", "gunicorn 27.0.1"),
        ("gunicorn version: gunicorn/1.22.1", "gunicorn 1.22.1"),
        ("Running gunicorn 0.54.0 with CPython 3.11.7 on Linux", "gunicorn 0.54.0"),
        ("unknown", "gunicorn"),
        (None, "gunicorn"),
    ],
)
def test_a_server_is_named_with_its_number(version: str | None, named: str) -> None:
    """However it says its version."""
    assert foreign.server("reload-gunicorn", version) == named


def test_the_page_has_a_line_for_every_variant() -> None:
    """Server, variant and the figures with their digits."""
    result = Measurement("foreign", "title", list(foreign.COLUMNS))
    result.row("nginx 1.22.1 | hup | HUP every second").add(
        requests=43051, lost=80, share=0.1858, unanswered=0, unknown=0, actions=5
    )
    heading, _, line = foreign.markdown(result).splitlines()
    assert heading.split(" | ")[-1] == "reloads asked for |"
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells == ["nginx 1.22.1", "HUP every second", "43,051", "80", "0.19", "0", "0", "5"]
