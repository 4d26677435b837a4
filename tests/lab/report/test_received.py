"""What came to the server over time."""

from pathlib import Path

from tests.lab.report import foreign, making
from vaultstorm.report import data, received


def test_the_span_is_the_client_s(tmp_path: Path) -> None:
    """From its start to its end."""
    with data.opened(foreign.client(tmp_path)) as source:
        assert received.span(source.db, "v") == (10.0, 13.5)
        assert received.span(source.db, "other") is None


def test_with_our_own_client_there_is_none(tmp_path: Path) -> None:
    """It tells its own times."""
    with data.opened(making.make(tmp_path, [making.BROKEN], 1)) as source:
        assert received.span(source.db, "broken") is None


def test_what_came_and_how_it_ended(tmp_path: Path) -> None:
    """Answers first, then what was lost, each where it is known to have been."""
    with data.opened(foreign.client(tmp_path)) as source:
        series = received.series(source.db, "v", 10.0, 0.5)
    assert [(name, family) for name, family, _ in series] == [
        ("received", "arrivals"),
        ("answered (ok)", "ok"),
        ("http.503", "http"),
        ("lost: Connection_Dropped", "closed"),
    ]
    assert [bins for _, _, bins in series] == [
        ((1, 4), (2, 1)),
        ((1, 1), (3, 1)),
        ((1, 1),),
        ((1, 2),),
    ]


def test_what_was_turned_away_has_its_lane(tmp_path: Path) -> None:
    """But not what the server closed when it was stopped."""
    with data.opened(foreign.client(tmp_path, away=True)) as source:
        *_, away = received.series(source.db, "v", 10.0, 0.5)
    assert away == ("turned away", "reset", ((0, 1),))
