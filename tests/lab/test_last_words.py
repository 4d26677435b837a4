"""What a command of ours says at its end."""

from pathlib import Path

from vaultstorm.last_words import because, last_words


def test_the_last_sentence_counts(tmp_path: Path) -> None:
    """Of several it is the last, whatever else was written after it."""
    log = tmp_path / "log"
    log.write_text("x\nvaultstorm: one\nvaultstorm: two\ny\n")
    assert last_words(log) == "two"
    assert because(log) == ": two"


def test_what_is_wrong_usage_is_one_too(tmp_path: Path) -> None:
    """Typer begins it in its own way."""
    log = tmp_path / "log"
    log.write_text("Usage: vaultstorm\nError: No such option: --x\n")
    assert because(log) == ": No such option: --x"


def test_without_one_it_says_where_to_look(tmp_path: Path) -> None:
    """A log that says nothing of the kind, or is not there, is named."""
    log = tmp_path / "log"
    assert (last_words(log), because(log)) == (None, f"; see {log}")
    log.write_text("x\n")
    assert (last_words(log), because(log)) == (None, f"; see {log}")
