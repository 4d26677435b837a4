"""What the application showed: every code, where, why, and whether it ran."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.report import bursting, making
from vaultstorm.report import data, hresults
from vaultstorm.report.hresults import Place, Seen
from vaultstorm_wire.outcome import NAMES


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Read a burst that the exporter turned away, and one that it served."""
    with data.opened(bursting.run(tmp_path_factory.mktemp("run"))) as source:
        found = hresults.read(source.db)
    assert found is not None
    return found


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Open a run without RPC."""
    with data.opened(making.make(tmp_path, [making.BROKEN])) as source:
        yield source.db


def test_without_rpc_there_is_nothing_to_say(plain: sqlite3.Connection) -> None:
    """A browser shows no HRESULT."""
    assert hresults.read(plain) is None


def test_which_port_failed(seen: Seen) -> None:
    """By variant, the resolver first, with what came of it and what ran."""
    told = [(p.variant, p.operation, p.attempts, p.ok, p.failed) for p in seen.ports]
    assert told == [
        ("broken", "activation", 100, 100, 0),
        ("broken", "call", 100, 10, 90),
        ("fixed-maxcalls-100", "activation", 100, 100, 0),
        ("fixed-maxcalls-100", "call", 100, 90, 10),
    ]
    assert [hresults.executed(port.executed) for port in seen.ports[:2]] == [
        *("once", "10 once, 90 never"),
    ]
    assert [(name, [*operations]) for name, operations in seen.rows] == [
        ("broken", ["activation", "call"]),
        ("fixed-maxcalls-100", ["activation", "call"]),
    ]


def test_every_code_is_explained(seen: Seen) -> None:
    """Its message as Windows has it, what it means, and where it occurred; the most first."""
    assert [(one.code, one.attempts) for one in seen.shown] == [
        *(("0x800706BF", 85), ("0x800706BB", 10), ("0x800706BA", 5)),
    ]
    dne, busy, unavailable = seen.shown
    assert dne.message == "The remote procedure call failed and did not execute."
    assert unavailable.message == "The RPC server is unavailable."
    (place,) = dne.places
    assert place.variant == "broken"
    assert place.at == "the object exporter, port 40123"
    assert (place.outcome, place.cause, place.executed) == (
        *("bind.reset", "backlog_full", {"never": 85}),
    )
    assert place.wire == "the TCP handshake, then RST instead of a bind_ack"
    assert hresults.why(place) == "the accept queue was full"
    assert busy.places[0].wire == "a whole answer: 0x1c010014"


def failed(directory: Path, outcome: str, **row: object) -> Seen:
    """Read a run with one call that failed so."""
    made = bursting.tried(0, "call", 0.0, outcome, **row)
    run = making.make(directory, [making.Made("one", "One", lambda _, __: iter([made]))])
    with data.opened(run) as source:
        found = hresults.read(source.db)
    assert found is not None
    return found


@pytest.mark.parametrize("win32, code", [(None, "0x800706BB"), (1717, "0x800706B5")])
def test_an_attempt_may_have_a_code_of_its_own(
    tmp_path: Path, win32: int | None, code: str
) -> None:
    """Where the outcome alone does not say which, the client wrote it down."""
    assert [one.code for one in failed(tmp_path, "bind.rejected", win32=win32).shown] == [code]


def test_a_code_that_windows_has_no_words_for_is_shown(tmp_path: Path) -> None:
    """An HRESULT of the component's own."""
    found = failed(tmp_path, "rpc.0x80041234")
    assert [(one.code, one.message) for one in found.shown] == [
        ("0x80041234", "No message is known for it."),
    ]
    assert found.shown[0].means == hresults.OTHER


@pytest.mark.parametrize("outcome", ["bind.timeout", "wait.timeout"])
def test_a_code_of_two_phases_claims_for_neither(tmp_path: Path, outcome: str) -> None:
    """0x8007071A is shown whether the request had been sent or not."""
    (one,) = failed(tmp_path, outcome).shown
    assert one.code == "0x8007071A"
    assert "If the request had been sent" in one.means


@pytest.mark.parametrize("outcome", sorted(name for name in NAMES if not name.startswith("tls.")))
def test_everything_that_can_happen_went_over_the_wire_somehow(outcome: str) -> None:
    """Each outcome that an rpc:// attempt can have is told without a look into a table."""
    wire = Place("v", "port 1", outcome, None, 1, {}).wire
    assert wire
    assert outcome not in wire


@pytest.mark.parametrize(
    "verdicts, said",
    [
        ({"once": 3}, "once"),
        ({"never": 2, "once": 10, "unknown": 1000}, "10 once, 2 never, 1,000 unknown"),
    ],
)
def test_verdicts(verdicts: dict[str, int], said: str) -> None:
    """A single one needs no number: that of the attempts stands beside it."""
    assert hresults.executed(verdicts) == said
