"""Reading run.json."""

from pathlib import Path

import pytest

from vaultstorm.report import result
from vaultstorm_wire.errors import UsageError


def test_what_an_older_version_wrote_can_be_read(tmp_path: Path) -> None:
    """What it did not know of is as if nothing had been there."""
    path = tmp_path / "run.json"
    path.write_text('{"scenario": "s", "passed": true, "variants": {"v": {"attempts": 3}}}')
    variant = result.read(path).variants["v"]
    assert (variant.attempts, variant.server, variant.client, variant.notes) == (
        *(3, "vaultstorm", None, ()),
    )


@pytest.mark.parametrize("text", [None, "", "[]", '{"scenario": 1}'])
def test_what_is_no_result_is_said(tmp_path: Path, text: str | None) -> None:
    """In a sentence."""
    path = tmp_path / "run.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=r"no finished run|not the result of a run"):
        result.read(path)
