"""The kernel's queue of a foreign server's port."""

from pathlib import Path

import pytest

from tests.lab.report import foreign, making
from vaultstorm.report import data, kernel
from vaultstorm.report.kernel import Queue


def test_it_is_read_from_what_was_true_at_the_beginning(tmp_path: Path) -> None:
    """A record stands until the next."""
    with data.opened(foreign.server(tmp_path)) as source:
        queues = kernel.read(source.db, "v", 10.0, 0.0, 2.0)
        assert queues == (Queue(0.0, 0, 10, 0), Queue(1.5, 11, 10, 4))
        assert kernel.read(source.db, "v", 10.0, 0.0, 1.0) == (Queue(0.0, 0, 10, 0),)
        assert kernel.charted(queues) == [[0.0, 1.5], [0, 11], [10, 10]]


def test_nobody_looks_at_our_own(tmp_path: Path) -> None:
    """It says itself what it holds."""
    with data.opened(making.make(tmp_path, [making.BROKEN], 1)) as source:
        assert kernel.read(source.db, "broken", making.EPOCH, 0.0, 1.0) == ()


@pytest.mark.parametrize(
    "queued, backlog, worth",
    [(0, 10, False), (1, 10, True), (1, 11, False), (2, 11, True), (1, None, True), (0, 0, False)],
)
def test_a_chart_has_to_be_worth_it(queued: int, backlog: int | None, worth: bool) -> None:
    """A queue that held a tenth of its backlog."""
    assert kernel.is_worth_a_chart([Queue(0.0, queued, backlog, 0)]) == worth


@pytest.mark.parametrize("backlog, said", [(10, "4 connections found no room"), (11, "")])
def test_overflows_are_its_own_only_if_it_was_full(backlog: int, said: str) -> None:
    """The kernel counts those of all ports."""
    text = kernel.told([Queue(0.0, 11, backlog, 4)])
    assert said in text
    assert ("room" in text) == bool(said)
