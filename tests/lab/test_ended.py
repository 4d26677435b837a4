"""Counting the attempts of a load that still runs."""

from pathlib import Path

from tests.lab.reconcile.harness import attempt
from vaultstorm.ended import EndedAttempts
from vaultstorm_wire import journal


def line(record: journal.AnyRecord) -> str:
    """Give a record as it stands in a journal."""
    return f"{journal.encode(record).decode()}\n"


JOURNAL = line(journal.Journal(time=1.0, role="client", pid=1))
ATTEMPT = line(attempt("ok", detail='{"record":"attempt"'))
ACKNOWLEDGED = line(
    journal.Acknowledged(time=1.0, id="a", kind="block", name="b", sha256="b", bytes=1)
)


def test_lines_are_counted_as_they_come(tmp_path: Path) -> None:
    """Only lines of attempts count, each when it is whole; a part of one is read again."""
    ended = EndedAttempts(tmp_path)
    assert (ended.begun(), ended.count()) == (False, 0)
    (tmp_path / "front-1.ndjson").write_text("{}\n{}\n")
    assert (ended.begun(), ended.count()) == (False, 0)
    one, two = tmp_path / "client-1.ndjson", tmp_path / "client-2.ndjson"
    one.write_text(JOURNAL)
    assert (ended.begun(), ended.count()) == (True, 0)
    with one.open("a") as file:
        file.write(ATTEMPT + ACKNOWLEDGED + ATTEMPT[:-9])
    assert ended.count() == 1
    two.write_text(JOURNAL + ATTEMPT + ACKNOWLEDGED + ATTEMPT)
    with one.open("a") as file:
        file.write(ATTEMPT[-9:])
    assert ended.count() == 4
    assert ended.count() == 4


def test_a_file_without_a_line_is_no_attempt(tmp_path: Path) -> None:
    """It has been opened, and nothing was written yet."""
    (tmp_path / "client-1.ndjson").touch()
    assert EndedAttempts(tmp_path).count() == 0


def test_many_are_counted_once(tmp_path: Path) -> None:
    """However long a journal is: pieces end between lines."""
    many = 5000
    (tmp_path / "client-1.ndjson").write_text(JOURNAL + (ATTEMPT + ACKNOWLEDGED) * many)
    ended = EndedAttempts(tmp_path)
    assert (tmp_path / "client-1.ndjson").stat().st_size > 1 << 20
    assert ended.count() == many
    assert ended.count() == many
