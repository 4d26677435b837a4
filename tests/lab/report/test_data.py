"""What is read from a run directory, and what is not one."""

import json
from pathlib import Path

import pytest

from tests.lab.report import making
from vaultstorm.report import data
from vaultstorm.report.result import Expectation
from vaultstorm_wire.errors import UsageError


def read(directory: Path) -> data.Run:
    """Read a run."""
    with data.opened(directory) as source:
        return data.read(source)


def test_a_run(run: Path) -> None:
    """Both sources agree, and variants keep their order."""
    found = read(run)
    assert [variant.name for variant in found.variants] == [made.name for made in making.VARIANTS]
    for variant in found.variants:
        assert sum(variant.outcomes.values()) == variant.result.attempts == 100
        assert variant.outcomes.get("ok", 0) == variant.result.ok
        failed = variant.result.attempts - variant.result.ok
        assert sum(attempts for _, _, attempts in variant.why) == failed
    assert found.violations == ()
    assert not found.result.passed
    assert found.scenario.startswith("schema = 1")


def test_a_variant_that_run_json_does_not_know(tmp_path: Path) -> None:
    """A run that was ended in a variant still has that variant's counts."""
    making.make(tmp_path)
    result = json.loads((tmp_path / "run.json").read_text())
    del result["variants"]["windows-refuse"]
    (tmp_path / "run.json").write_text(json.dumps(result))
    (tmp_path / "scenario.toml").unlink()
    found = read(tmp_path)
    (variant,) = (v for v in found.variants if v.name == "windows-refuse")
    assert (variant.result.attempts, variant.result.ok, variant.result.lost) == (100, 10, 90)
    assert variant.title == "SynAttackProtect off"
    assert found.scenario == ""


def test_a_variant_that_run_db_does_not_know(tmp_path: Path) -> None:
    """A variant that left no records keeps what run.json says, its expectations above all."""
    making.make(tmp_path)
    result = json.loads((tmp_path / "run.json").read_text())
    check = {"check": "lost == 0", "actual": 1, "passed": False}
    result["variants"]["gone"] = {"attempts": 0, "expectations": [check], "unknown": [1]}
    (tmp_path / "run.json").write_text(json.dumps(result))
    last = read(tmp_path).variants[-1]
    assert (last.name, last.title, last.timeline) == ("gone", "gone", None)
    assert last.result.expectations == (Expectation("lost == 0", False, 1),)


def test_violations_are_all_counted_and_some_listed(tmp_path: Path) -> None:
    """More violations than a page can hold are still counted."""
    count = data.VIOLATIONS_MAX + 1
    rows = [("violation", {"kind": "id_twice", "detail": f"{n}"}) for n in range(count)]
    found = read(making.make(tmp_path, [making.Made("one", "One", lambda _, __: iter(rows))]))
    assert len(found.violations) == data.VIOLATIONS_MAX
    assert found.violations_count == count
    assert found.violations[0] == data.Violation("one", "id_twice", None, "0")


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("run.json", None, "holds no finished run: there is no run.json in it"),
        ("run.db", None, "holds no finished run: there is no run.db in it"),
        ("run.json", b"", "is not the result of a run"),
        ("run.json", b"{}", "is not the result of a run"),
        ("run.json", b"\xff", "is not the result of a run"),
        ("run.json", b'{"scenario": "x", "passed": 1, "variants": {}}', "is not the result"),
        ("run.db", b"not a database, and long enough to be looked at", "is not the database"),
        ("run.db", b"", "is not the database of a run: no such table"),
    ],
)
def test_what_is_no_run(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    """A file that is missing, or is something else, is named."""
    making.make(tmp_path, [making.BROKEN], 1)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=message):
        read(tmp_path)
    assert (tmp_path / name).exists() == (content is not None)


def test_a_directory_in_the_place_of_a_file(tmp_path: Path) -> None:
    """What cannot be read is said to be so."""
    (tmp_path / "run.json").mkdir()
    with pytest.raises(UsageError, match=r"cannot read .*run\.json: Is a directory"):
        read(tmp_path)


def test_odd_names(tmp_path: Path) -> None:
    """A directory may be called what a URI could not."""
    assert read(making.make(tmp_path / "50 % ? #1", [making.BROKEN], 3)).variants
