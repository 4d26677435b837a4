"""Failed attempts told in full."""

import sqlite3
from pathlib import Path

import pytest

from tests.lab.report import bursting, making
from vaultstorm.report import data, stories


def tell(directory: Path, *variants: list[tuple[str, making.Row]]) -> tuple[stories.Story, ...]:
    """Make a run of these rows, a list for each variant, and tell it."""
    made = [
        making.Made(f"v{n}", f"V {n}", lambda _, __, rows=rows: iter(rows))  # type: ignore[misc]
        for n, rows in enumerate(variants)
    ]
    with data.opened(making.make(directory, made)) as source:
        return stories.tell(source.db)


def test_every_outcome_with_every_cause_comes_first(tmp_path: Path) -> None:
    """One rare outcome is told although a thousand others came before it."""
    many = [making.attempt(n, n / 1000, "tls.reset", cause="backlog_full") for n in range(1000)]
    rare = [
        making.attempt(1001, 2.0, "tls.reset", cause=None),
        making.attempt(1002, 2.0, "wait.reset", cause="server_died"),
        making.attempt(1003, 2.0, "http.503", cause="QueueFull"),
        making.attempt(1004, 2.0, "ok"),
    ]
    told = tell(tmp_path, many + rare)
    assert len(told) == stories.STORIES_MAX
    assert {story.id.split("-")[1] for story in told} > {"1001", "1002", "1003"}
    assert [story.outcome for story in told].count("tls.reset") == 18


def test_every_variant_has_its_say(tmp_path: Path) -> None:
    """A cause that two variants share is told once in each, before a second time in one."""
    rows = [making.attempt(n, 0.0, "tls.reset", cause="backlog_full") for n in range(50)]
    told = tell(tmp_path, rows, rows)
    assert {story.variant for story in told} == {"v0", "v1"}
    assert [story.variant for story in told] == sorted(story.variant for story in told)


@pytest.mark.parametrize("failed, told", [(0, 0), (1, 1), (19, 19), (20, 20), (21, 20)])
def test_at_most_twenty(tmp_path: Path, failed: int, told: int) -> None:
    """Up to twenty are told, and the same run always gives the same ones."""
    rows = [making.attempt(n, 0.0, "tls.reset") for n in range(failed)]
    first = tell(tmp_path, rows)
    assert len(first) == told
    assert tell(tmp_path, rows) == first


def test_heading() -> None:
    """A person reads how it ended, when, why, and whether it ran."""
    attempt = making.attempt(17, 0.0, "tls.reset", end=0.0032, cause="backlog_full")[1]
    assert stories.heading(attempt) == (
        "Attempt …-17-0 was reset during the TLS handshake, 3.20 ms after its SYN: "
        "the accept queue was full (backlog_full). It was never executed."
    )


def test_heading_of_a_reused_connection() -> None:
    """A request on a kept connection has no SYN; what nothing explains is said to be so."""
    more = {"nth": 2, "end": 1.5, "cause": None, "verdict": "once"}
    attempt = making.attempt(4, 0.0, "wait.closed", **more)[1]
    assert stories.heading(attempt) == (
        "Attempt …-4-0 was closed by the server with the whole request sent and not one byte of "
        "the answer back, 1.50 s after request 3 on its connection began: nothing that the server "
        "recorded explains it. It was executed once, which no client can know."
    )


def test_both_sides_are_interleaved(tmp_path: Path) -> None:
    """The records of client, front process, worker and runner stand in the order of their times."""
    phases = {"connect": 0.001, "tls": 0.002, "send": 0.001, "wait": 0.006}
    name, row = making.attempt(1, 0.0, "wait.closed", **phases, end=0.01, verdict="once", sent=120)
    asked = {"id": row["id"], "method": "GET", "target": "/x", "worker": 7}
    request = {"connection": 1, "peer": row["local"], "time": 0.0041, "dispatched": 0.0042}
    (story,) = tell(
        tmp_path,
        [
            (name, row),
            ("request", asked | request | {"cause": "Connection_Abandoned_By_AppPool"}),
            ("execution", asked | {"time": 0.005, "status": 200}),
            making.event(0.006, "runner", "action", detail="kill"),
            making.event(0.007, "front", "worker_died", worker=7, detail="signal 9"),
            making.event(9.0, "front", "ready"),
            making.sample(-0.001, 9, 1),
        ],
    )
    assert [(round(step.time * 1000, 1), step.side, step.text) for step in story.steps] == [
        (-1.0, "server", "accept queue: 1 waiting, 9 free slots"),
        (0.0, "client", "SYN sent from 127.0.0.1:2001"),
        (1.0, "client", "TCP handshake complete"),
        (3.0, "client", "TLS handshake complete"),
        (4.0, "client", "request sent, 120 bytes"),
        (4.1, "server", "request received: GET /x"),
        (4.2, "server", "given to worker 7; HTTPERR logs Connection_Abandoned_By_AppPool"),
        (5.0, "server", "worker 7 executes GET /x: 200"),
        (6.0, "runner", "action (kill)"),
        (7.0, "server", "worker 7 has died (signal 9)"),
        (10.0, "client", "ends as wait.closed"),
    ]


def test_a_refused_connection(tmp_path: Path) -> None:
    """The pause that refused it is told, with what it caught; a late start is said to be late."""
    name, row = making.attempt(1, 0.0, "connect.refused", errno="ECONNREFUSED", connect=0.003)
    pause = {"time": 0.001, "until": 0.02, "style": "refuse", "caught": 2}
    (story,) = tell(tmp_path, [(name, row | {"time": -0.004, "syn_retries": 1}), ("pause", pause)])
    assert [step.text for step in story.steps] == [
        "the attempt is due; the client begins it 4.00 ms late",
        "SYN sent from 127.0.0.1:2001",
        "accept queue full: from here every SYN is refused; 2 finished handshakes reset",
        "ends as connect.refused (ECONNREFUSED, SYN sent again 1 time)",
        "a slot is free: SYNs are answered again",
    ]


def test_a_connection_turned_away(tmp_path: Path) -> None:
    """Of several that came from the same port, the one nearest in time is this one."""
    name, row = making.attempt(1, 0.0, "tls.reset", connect=0.001, tls=0.003)
    away = {"peer": row["local"], "cause": "backlog_full", "how": "reset"}
    (story,) = tell(
        tmp_path,
        [
            (name, row),
            ("turned_away", away | {"time": 0.9}),
            ("turned_away", away | {"time": 0.002}),
            ("turned_away", away | {"time": 0.003, "peer": "127.0.0.1:1"}),
        ],
    )
    server = [step for step in story.steps if step.side == "server"]
    assert [(round(step.time, 3), step.text) for step in server] == [
        (0.002, "connection turned away by reset: the accept queue was full")
    ]


def test_no_socket(tmp_path: Path) -> None:
    """An attempt for which there was no port left is told without one."""
    more = {"local": None, "connect": 0.0, "errno": "EADDRNOTAVAIL", "cause": "client"}
    (story,) = tell(tmp_path, [making.attempt(1, 0.0, "connect.local", **more)])
    assert [step.text for step in story.steps] == [
        "begins without a socket",
        "ends as connect.local (EADDRNOTAVAIL)",
    ]


def test_a_whole_run(db: sqlite3.Connection) -> None:
    """Twenty stories of six variants, each in time order."""
    told = stories.tell(db)
    assert len(told) == stories.STORIES_MAX
    for story in told:
        times = [round(step.time, 7) for step in story.steps]
        assert times == sorted(times)


def test_a_call_is_told_with_its_port_and_its_code(tmp_path: Path) -> None:
    """What a person on Windows saw, where, and what the other port's pauses have nothing to do."""
    directory = bursting.run(tmp_path)
    with data.opened(directory) as source:
        told = stories.tell(source.db)
    refused = next(story for story in told if story.outcome == "connect.refused")
    assert refused.heading.startswith(
        "At the object exporter, port 40123, call …-10-1 was refused while connecting, "
    )
    assert "(backlog_full). The application shows 0x800706BA. It was never executed." in (
        refused.heading
    )
    reset = next(story for story in told if story.outcome == "bind.reset")
    texts = [step.text for step in reset.steps]
    assert "connection turned away by reset: the accept queue was full" in texts
    assert "accept queue: 10 waiting, 0 free slots" in texts
    busy = next(story for story in told if story.outcome == "rpc.0x1c010014")
    assert "answered with 0x1c010014; RPC notes call_limit" in [step.text for step in busy.steps]


@pytest.mark.parametrize("port, told", [(40123, True), (443, False), (None, True)])
def test_a_pause_is_told_of_its_own_port(tmp_path: Path, port: int | None, told: bool) -> None:
    """What another listener refused is none of this attempt's story."""
    row = bursting.tried(0, "call", 0.0, "connect.refused", connect=0.001, cause="backlog_full")
    pause = {"time": -0.001, "until": 0.01, "style": "exhausted", "caught": 0, "port": port}
    events = [
        ("event", {"time": time, "role": "front", "name": name, "detail": None, "port": port})
        for time, name in ((-0.001, "pause_began"), (0.0005, "protection_began"))
    ]
    (story,) = tell(tmp_path, [row, ("pause", pause), *events])
    texts = [step.text for step in story.steps]
    assert texts.count("accept queue full: from here every SYN is refused") == told
    assert "pause began" not in texts, "its pause has said so"
    assert ("protection began" in texts) is told
    assert ("SYNs are answered again" in texts) is told
