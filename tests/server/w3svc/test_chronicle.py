"""What becomes known of a pool."""

import os
from pathlib import Path

import pytest

from tests.server.w3svc.pooling import event_log, events
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.messages import Note
from vaultstorm_server.w3svc import actions, eventlog
from vaultstorm_server.w3svc.chronicle import Chronicle
from vaultstorm_server.w3svc.recycling import Reason
from vaultstorm_server.w3svc.worker import Worker


def test_moments_and_entries_are_journalled_and_logged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A note names its worker by its pid; an entry has its number, or none if it has none."""
    journal = JournalFile(tmp_path, "front")
    chronicle = Chronicle(journal)
    worker = Worker(1, 0.0)
    worker.pid = 42
    chronicle.event("worker_started", 42)
    chronicle.note(actions.Note("recycle", worker, "requests"))
    chronicle.note(actions.Note("pool_stopped", detail="Disabled"))
    chronicle.said(42, Note(7.5, "table_full", "256 of 256"))
    chronicle.entry(actions.Log(eventlog.entry(eventlog.SILENT, "Pool", 42)))
    chronicle.entry(actions.Log(eventlog.recycled(Reason.TIME, "Pool", 42)))
    journal.close()
    assert events(tmp_path)[:4] == [
        ("worker_started", 42, None),
        ("recycle", 42, "requests"),
        ("pool_stopped", None, "Disabled"),
        ("table_full", 42, "256 of 256"),
    ]
    assert event_log(tmp_path) == [(1010, 42), (None, 42)]
    assert (tmp_path / f"front-{os.getpid()}.ndjson").exists()
    said = capsys.readouterr().out
    assert "table_full" in said
    assert "failed to respond to a ping" in said
    assert "event_id=1010" in said
