"""The documentation speaks of nothing that is not there."""

import re
from pathlib import Path
from typing import Final

import pytest

from vaultstorm_server import app_ids
from vaultstorm_server.configuration import describe

ROOT: Final = Path(__file__).parent.parent.parent
PAGES: Final = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
_SECTIONS: Final = "afd|tcpip|httpsys|apppool|vault|rpc"
_KEY: Final = re.compile(rf"(?<![\w./-])(?P<path>(?:{_SECTIONS})\.(?P<name>[A-Z]\w+))")
_SOURCE: Final = re.compile(
    r"`(?P<path>(?:server|client|scenarios|tests|bench|containers|docs)/[\w./-]+\.(?:py|toml|reg))`"
)
_HOLDERS: Final = {"apppool.KEY", "apppool.NAME", "apppool.Key", "afd.Backlogg"}


def _relative(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_relative)
def test_settings_that_a_page_names_exist(page: Path) -> None:
    """Every section.Key in a page is one of the configuration's."""
    known = {key.path for key in describe() if key.section != app_ids.EVERY}
    named = {found["path"] for found in _KEY.finditer(page.read_text(encoding="utf-8"))}
    assert named - known - _HOLDERS == set()


@pytest.mark.parametrize("page", PAGES, ids=_relative)
def test_sources_that_a_page_names_exist(page: Path) -> None:
    """Every file of ours that a page names is there."""
    named = {found["path"] for found in _SOURCE.finditer(page.read_text(encoding="utf-8"))}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_defaults_in_the_list_of_choices_are_those_of_the_code() -> None:
    """Where the list says what we chose, the server does that."""
    text = (ROOT / "docs" / "real-and-emulated.md").read_text(encoding="utf-8")
    said = re.findall(rf"`((?:{_SECTIONS})\.\w+)` = `?([\w.]+)`?(?: (s|min|KiB))?", text)
    known = {key.path: (key.default, key.unit) for key in describe()}
    assert len(said) > 20
    for path, value, unit in said:
        default, of = known[path]
        in_bytes = {"65536": "64"}.get(default, default)
        assert (value, unit or of) in {(default, of), (in_bytes, "KiB")}, path
