"""Where results go."""

import json
from pathlib import Path

import pytest

from vaultstorm.cli.output import claim, write
from vaultstorm_wire.errors import MachineError

RESULT = {"schema": 1, "name": "Zürich"}


def test_text_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """Without the option, the text is shown."""
    write(RESULT, "text", None)
    assert capsys.readouterr().out == "text\n"


def test_json_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    """With a dash, stdout has the JSON on one line and nothing else."""
    write(RESULT, "text", "-")
    out = capsys.readouterr().out
    assert json.loads(out) == RESULT
    assert out.count("\n") == 1


def test_json_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a file, the text is shown and the JSON written."""
    write(RESULT, "text", str(tmp_path / "r.json"))
    assert json.loads((tmp_path / "r.json").read_text("utf-8")) == RESULT
    assert capsys.readouterr().out == "text\n"


def test_file_that_cannot_be_written(tmp_path: Path) -> None:
    """A directory that is not there is the machine's trouble, with the way out."""
    with pytest.raises(MachineError, match="name another file with --json"):
        write(RESULT, "text", str(tmp_path / "none" / "r.json"))


def test_a_file_that_cannot_be_written_is_known_beforehand(tmp_path: Path) -> None:
    """Before a result exists that could be lost; a file that stands is not touched."""
    with pytest.raises(MachineError, match="name another file with --json"):
        claim(str(tmp_path / "none" / "r.json"))
    (tmp_path / "r.json").write_text("before")
    claim(str(tmp_path / "r.json"))
    claim("-")
    claim(None)
    assert (tmp_path / "r.json").read_text() == "before"
