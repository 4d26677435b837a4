"""Registry exports: of the library, of files, and of nobody."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import environment
from vaultstorm.cli.exports import exported, registry_file
from vaultstorm_wire.errors import UsageError

EXPORT = """Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\\System\\CurrentControlSet\\Services\\AFD\\Parameters]
"MaximumDynamicBacklog"=dword:00000020
"TransmitWorker"=dword:00000010
"""


def test_an_export_gives_settings_and_what_there_is_none_for(tmp_path: Path) -> None:
    """The library's and the user's own together, in their order."""
    (tmp_path / "mine.reg").write_text(EXPORT)
    given, left_out = exported(["kb960007", str(tmp_path / "mine.reg")])
    assert [(g.section, g.name) for g in given].count(("afd", "MaximumDynamicBacklog")) == 1
    assert len(left_out) == 1
    assert "TransmitWorker" in left_out[0]


def test_without_any_nothing_is_imported_for_them() -> None:
    """A start that names none does not wait for their parser."""
    code = (
        "import sys; from vaultstorm.cli.exports import exported;"
        "print(exported(()), 'vaultstorm_server.registry' in sys.modules)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, env=environment(), text=True
    )
    assert shown.stdout == "((), ()) False\n"


@pytest.mark.parametrize("name", ["no.reg", "a\0b"], ids=["missing", "null-byte"])
def test_what_cannot_be_read_is_said(name: str) -> None:
    """With the names of those that ship."""
    with pytest.raises(UsageError, match="the library has kb960007"):
        registry_file(name)
