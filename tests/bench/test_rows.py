"""One short round of what the rows of the page are made of."""

from pathlib import Path

import pytest

from bench import certificate, client_memory, held, keepalive, nginx, peers, policies, start
from bench.children import PYTHON, BenchError, Child, free_port
from bench.procfs import established
from bench.result import Column, Growth, Measurement
from bench.setup import Setup

with_nginx = pytest.mark.skipif(peers.program("nginx") is None, reason="nginx is not installed")


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    """Make a smoke run of the bench."""
    return Setup(tmp_path, certificate.make(tmp_path), quick=True)


def result() -> Measurement:
    """Make an empty measurement."""
    return Measurement("it", "title", [Column("x", "x")], growth=Growth("n", "x"))


def test_held_connections_are_answered_through_recycles(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is answered before and meanwhile, and stands afterwards; workers were replaced."""
    monkeypatch.setattr(held, "RECYCLES", 1)
    made = result()
    held._hold(setup, made, 9)
    row = made.row("vaultstorm, 9")
    figures = {key: row.value(key) for key in ("opened", "answered", "recycled", "standing")}
    assert set(figures.values()) == {9}
    assert made.notes == []


@with_nginx
def test_both_clients_hold_what_they_opened(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their memory is looked at while all connections stand, and none stands afterwards."""
    monkeypatch.setattr(client_memory, "_QUIET_S", 0.1)
    with nginx.serve(setup.folder, setup.certificate) as server:
        for subject in ("vaultstorm", *client_memory.PLAIN):
            assert client_memory._held(setup, subject, server, 5) > 1000
            assert established(server.port) == 0


def test_a_client_that_opens_no_more_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is idle, and fewer stand than were asked for: it says how many."""
    monkeypatch.setattr(client_memory, "_QUIET_S", 0.1)
    monkeypatch.setattr(client_memory, "_STUCK_S", 0.3)
    with (
        Child([PYTHON, "-c", "input()"]) as idle,
        pytest.raises(BenchError, match="nobody: 0 of 1 connections"),
    ):
        client_memory._settle("nobody", idle, free_port(), 1)


@with_nginx
def test_every_attempt_of_our_client_is_in_its_journal(setup: Setup) -> None:
    """Otherwise the round is an error; the journal is deleted after it."""
    made = result()
    with nginx.serve(setup.folder, setup.certificate) as server:
        keepalive._round(made, setup, "vaultstorm", server.port, keepalive.CLIENTS, 1)
    assert (made.row("vaultstorm").value("records") or 0) > 0
    assert not (setup.folder / keepalive.NAME).exists()


@pytest.mark.parametrize("length", [20, 200])
def test_the_policy_is_driven_through_every_event(
    length: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """It asserts itself that queues were filled, overrun, emptied and grown."""
    policies.main(length, 400)
    assert '"growth": ' in capsys.readouterr().out


def test_a_start_ends_with_an_answer(setup: Setup) -> None:
    """Both the time to the ready line and the CPU of the whole life are told."""
    ready, cpu = start._ready(setup, 1, [f"--tls-dir={setup.folder / 'tls'}"])
    assert ready > 0
    assert cpu > 0
