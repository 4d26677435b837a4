"""The examples in the documentation do what it says."""

from pathlib import Path

import pytest

from tests.support import examples

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted(
    str(page.relative_to(ROOT))
    for page in (ROOT / "docs").rglob("*.md")
    if examples.steps(page.read_text(encoding="utf-8"))
)
ALONE = pytest.mark.skipif(
    not examples.isolated(),
    reason="no network namespace of one's own (unshare -rn) can be had here",
)


@ALONE
@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_do_what_it_says(page: str, tmp_path: Path) -> None:
    """Every block that is marked runs, in one shell and in the order of the page."""
    left_out = examples.run((ROOT / page).read_text(encoding="utf-8"), tmp_path)
    if left_out:
        pytest.skip(f"{page}: all ran but {'; '.join(left_out)}")


def test_some_pages_have_examples() -> None:
    """Nothing is proved by a search that finds no page."""
    assert "docs/index.md" in PAGES


def _page(*lines: str) -> str:
    return "\n".join(lines) + "\n"


def _block(mark: str, *lines: str, language: str = "console") -> str:
    return _page(mark, f"```{language}", *lines, "```")


def test_a_block_without_a_mark_is_not_run() -> None:
    """What is only shown stays so."""
    assert examples.steps(_block("Text.", "$ false")) == []


def test_commands_are_the_lines_with_a_dollar() -> None:
    """Output is no command, and a backslash joins the next line to its command."""
    (step,) = examples.steps(_block("<!-- run -->", "$ echo a \\", "    b", "a b", "$ true"))
    assert step.commands == ("echo a \\\nb", "true")


def test_a_mark_says_how_a_block_ends_and_what_it_shows() -> None:
    """Several things can be said of one block."""
    (step,) = examples.steps(_block("<!-- run: exit 0 or 3; shows a, b; needs nginx -->", "$ x"))
    assert (step.exits, step.shows, step.needs) == ((0, 3), ("a, b",), ("nginx",))


@pytest.mark.parametrize(
    "text",
    [
        "<!-- run -->\n\nText.\n",
        "<!-- run -->\n",
        "<!-- run nothing -->\n",
        "<!-- run: exit -->\n```console\n$ true\n```\n",
        "<!-- run: perhaps -->\n```console\n$ true\n```\n",
        "<!-- run -->\n```console\nno command\n```\n",
        "<!-- run -->\n```console\n```\n",
        "<!-- run -->\n```sh\n$ true\n```\n",
        "<!-- run -->\n```console\n$ true\n",
        "```toml\n# file: ../out.toml\n```\n",
    ],
    ids=[
        "text-follows",
        "nothing-follows",
        "no-colon",
        "no-code",
        "unknown-word",
        "no-dollar",
        "empty",
        "other-language",
        "no-end",
        "outside",
    ],
)
def test_what_cannot_be_run_is_an_error(text: str) -> None:
    """A slip in a page is found when it is read, not passed over."""
    with pytest.raises(examples.Wrong):
        examples.steps(text)


@ALONE
@pytest.mark.parametrize(
    ("text", "what"),
    [
        (_block("<!-- run -->", "$ true", "$ (exit 7)"), "ended with 7"),
        (_block("<!-- run -->", "$ (exit 7)", "$ true"), "ended with 7"),
        (_block("<!-- run: exit 1 -->", "$ true"), "ended with 0"),
        (_block("<!-- run: exit 1 -->", "$ (exit 1)", "$ (exit 1)"), "ended with 1"),
        (_block("<!-- run: shows b -->", "$ echo a"), "nothing shows 'b'"),
        (_block("<!-- run -->", "$ there-is-no-such-command"), "ended with 127"),
        (_block("<!-- run -->", "$ exit 0", "$ true"), "was not come to"),
        (_block("<!-- run -->", "$ vaultstorm serve --port 1 --set no.Such=1"), "ended with 2"),
        (
            _block("", "# file: test_it.py", "def test_it():", "    assert 0", language="python"),
            "ended with 1",
        ),
    ],
    ids=["last", "first", "no-finding", "early", "text", "unknown", "left", "server", "pytest"],
)
def test_an_example_that_fails_fails_its_page(text: str, what: str, tmp_path: Path) -> None:
    """What is not as the page says is named with its line."""
    with pytest.raises(examples.Wrong, match=what):
        examples.run(text, tmp_path)


@ALONE
def test_a_page_is_one_shell_in_an_empty_directory(tmp_path: Path) -> None:
    """Variables and files of one block are there in the next, and nothing else is."""
    page = _page(
        _block("<!-- run -->", '$ test -z "$(ls -A)" && HERE=$PWD'),
        _block("", "# file: sub/name.toml", "a = 'b'", language="toml"),
        _block("<!-- run: shows a = 'b' -->", '$ cat "$HERE/sub/name.toml"', "$ cd /"),
        _block("<!-- run: exit 1; shows / -->", "$ pwd", "$ false"),
    )
    assert examples.run(page, tmp_path) == []


@ALONE
def test_what_needs_a_missing_program_is_left_out(tmp_path: Path) -> None:
    """The rest of its page runs, and what was left out is said."""
    page = _page(
        _block("<!-- run: needs there-is-no-such-program -->", "$ there-is-no-such-program"),
        _block("<!-- run -->", "$ true"),
    )
    assert examples.run(page, tmp_path) == [
        "line 2 was left out: there-is-no-such-program is not installed"
    ]
