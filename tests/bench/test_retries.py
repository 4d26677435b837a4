"""The figures of other people's clients."""

from pathlib import Path

import pytest

from bench import retries
from bench.children import PYTHON, ROOT
from bench.lab import Played, play
from bench.result import Measurement
from vaultstorm_wire import version


def test_a_program_is_named_with_its_version_and_its_options() -> None:
    """What is not installed has none."""
    own = retries.Program("ours", "with_it", "vaultstorm", ("--retry", "3"))
    assert own.version() == f"ours {version.__version__} --retry 3"
    assert retries.Program("it", "with_it", "no-such-package").version() is None


def test_every_program_is_there() -> None:
    """Each module of the table is a file that can be run."""
    for program in retries.PROGRAMS:
        assert (ROOT / "bench" / "clients" / f"{program.module}.py").is_file()


@pytest.mark.parametrize(
    "figures, word",
    [
        ({"failed": 0, "twice": 0, "again": 0}, "all answered"),
        ({"failed": 0, "twice": 0, "again": 8}, "8 sent again"),
        ({"failed": 3, "again": 0}, "**3 failed**"),
        ({"failed": 1, "twice": 2, "again": 4}, "**1 failed**, **2 executed twice**, 4 sent again"),
    ],
)
def test_a_cell_says_how_a_program_fared(figures: dict[str, float], word: str) -> None:
    """What was lost or done twice stands out; what could not be measured is left out."""
    result = Measurement("clients", "title", list(retries.COLUMNS))
    result.row("x 1 | GET | healthy").add(**figures)
    line = retries.markdown(result).splitlines()[-1]
    assert [cell.strip() for cell in line.strip("|").split("|")] == ["x 1", "GET", word]


def test_one_that_did_not_end_is_said() -> None:
    """It has no count of its own."""
    result = Measurement("clients", "title", list(retries.COLUMNS))
    row = result.row("x 1 | GET | healthy")
    row.add(given_up=4)
    row.note = "did not end"
    assert "did not end" in retries.markdown(result)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_program_is_told_by_both_sides(tmp_path: Path, method: str) -> None:
    """Where nothing fails, client and server count the same, and every request is told apart."""
    program = "bench.clients.with_http_client"
    command = f"{PYTHON} -m {program} {{url}} --method={method} --requests=9"
    options = ("--variant=healthy", f"--client={command} --pause=0")
    played = play(tmp_path / "out", retries.SCENARIO, *options)
    assert isinstance(played, Played)
    assert played.violations == 0
    seen = played.variants["healthy"]["client"]
    assert seen["requests"] == {"received": 9, "distinct": 9, "repeated": 0, "answered": 9}
    assert (seen["exit"], seen["executed_twice"], seen["given_up"]) == (0, 0, 0)
    log = played.out / "healthy" / "client.log"
    assert log.read_text() == "9 succeeded, 0 failed\n"
