"""A server's log, as it stands beside a failure."""

import json
from pathlib import Path

import pytest

from vaultstorm.testing import log

LINE = {"event": "worker_died", "level": "error", "timestamp": "2026-01-02T03:04:05.6Z", "pid": 7}


def write(path: Path, *lines: object) -> Path:
    """Write a log of texts and of records."""
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("".join(f"{text}\n" for text in texts))
    return path


@pytest.mark.parametrize(
    "written, shown",
    [
        (LINE, "03:04:05.6 error   worker_died pid=7"),
        (
            {**LINE, "detail": None, "exception": "Traceback"},
            "03:04:05.6 error   worker_died pid=7\nTraceback",
        ),
        ({"event": "bare"}, "bare"),
        ({"no": "event"}, '{"no": "event"}'),
        ("7", "7"),
        ("Error: no", "Error: no"),
    ],
)
def test_a_line_is_for_a_person(tmp_path: Path, written: object, shown: str) -> None:
    """Time, level, event and facts; what is no record stays as it is."""
    assert log.lines(write(tmp_path / "log", written)) == [shown]


def test_of_a_long_log_the_end_is_shown(tmp_path: Path) -> None:
    """Up to the limit all of it; beyond, with the number of those left out."""
    lines = [str(number) for number in range(log.LINES_MAX + 1)]
    assert log.lines(write(tmp_path / "log", *lines[1:])) == lines[1:]
    assert log.lines(write(tmp_path / "log", *lines)) == ["(1 lines before these)", *lines[1:]]


def test_what_is_not_there_is_empty(tmp_path: Path) -> None:
    """A server that wrote nothing has no log and no errors."""
    assert log.lines(tmp_path / "log") == []
    assert log.httperr(tmp_path) == []


def test_the_httperr_log_is_shown_without_its_head(tmp_path: Path) -> None:
    """The lines of all its files, in order."""
    write(tmp_path / "httperr2.log", "#Fields: x", "b")
    write(tmp_path / "httperr1.log", "#Fields: x", "a")
    assert log.httperr(tmp_path) == ["a", "b"]
