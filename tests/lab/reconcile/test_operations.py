"""Activations and calls, counted for themselves."""

from tests.lab.reconcile.harness import Run, attempt
from tests.lab.reconcile.test_by_rpc import EXPORTER, asked, away, ran, tried


def test_nobody_spoke_rpc(run: Run) -> None:
    """Another target's attempts are no operations."""
    run.client(attempt("tls.reset"))
    run.reconcile()
    assert run.summary()["rpc"] is None


def test_each_operation_has_its_own_numbers(run: Run) -> None:
    """What both have together is the whole: attempts, outcomes, codes, causes and verdicts."""
    run.client(
        tried("activation", "ok", "a"),
        tried("call", "bind.reset", "b"),
        tried("call", "rpc.0x1c010014", "c", local="127.0.0.1:40001"),
        tried("call", "bind.rejected", "d", win32=1717, local="127.0.0.1:40002"),
    )
    run.front(asked("a", "RemoteCreateInstance"), ran("a", "RemoteCreateInstance"))
    run.front(away(EXPORTER), asked("c", worker=None, status=0x1C010014, cause="call_limit"))
    run.reconcile()
    found = run.summary()["rpc"]
    assert found["activation"] == {
        "attempts": 1,
        "ok": 1,
        "lost": 0,
        "outcomes": {"ok": 1},
        "errors": {},
        "causes": {},
        "verdicts": {"once": 1, "never": 0, "twice": 0, "unknown": 0},
    }
    assert found["call"] == {
        "attempts": 3,
        "ok": 0,
        "lost": 2,
        "outcomes": {"bind.reset": 1, "rpc.0x1c010014": 1, "bind.rejected": 1},
        "errors": {"0x800706BF": 1, "0x800706BB": 1, "0x800706B5": 1},
        "causes": {"backlog_full": 1, "call_limit": 1},
        "verdicts": {"once": 0, "never": 3, "twice": 0, "unknown": 0},
    }
