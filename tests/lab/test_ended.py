"""Counting the attempts of a load that still runs."""

from pathlib import Path

from vaultstorm.ended import EndedAttempts


def test_lines_are_counted_as_they_come(tmp_path: Path) -> None:
    """Each file's first line is not an attempt, and a line counts when it is whole."""
    ended = EndedAttempts(tmp_path)
    assert (ended.begun(), ended.count()) == (False, 0)
    (tmp_path / "front-1.ndjson").write_text("{}\n{}\n")
    assert (ended.begun(), ended.count()) == (False, 0)
    one, two = tmp_path / "client-1.ndjson", tmp_path / "client-2.ndjson"
    one.write_text("{}\n")
    assert (ended.begun(), ended.count()) == (True, 0)
    with one.open("a") as file:
        file.write('{}\n{"cut')
    assert ended.count() == 1
    two.write_text("{}\n{}\n{}\n")
    with one.open("a") as file:
        file.write('":1}\n')
    assert ended.count() == 4
    assert ended.count() == 4


def test_a_file_without_a_line_is_no_attempt(tmp_path: Path) -> None:
    """It has been opened, and nothing was written yet."""
    (tmp_path / "client-1.ndjson").touch()
    assert EndedAttempts(tmp_path).count() == 0
