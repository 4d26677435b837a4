"""Makes runs with a foreign server, and with a foreign client, from journals written by hand."""

import json
from pathlib import Path
from typing import Any

from tests.lab.reconcile.harness import (
    Run,
    attempt,
    event,
    execution,
    lost,
    pause,
    request,
    turned_away,
)
from vaultstorm.reconcile import Variant, existing, reconcile, summarise
from vaultstorm_wire.journal import Begun, Execution, Kernel


def finish(run: Run, variant: Variant, **more: Any) -> Path:
    """Reconcile, and write what the runner writes."""
    assert reconcile(run.directory, [variant]) == []
    with existing(run.directory) as db:
        found = summarise(db, "v")
    said = {"title": variant.title, "seed": 7, "latency_ms": {}, "passed": True, **found, **more}
    result = {"scenario": "storm", "title": "A storm", "article": "nginx", "passed": True}
    result |= {"variants": {"v": said}}
    (run.directory / "run.json").write_text(json.dumps(result))
    (run.directory / "scenario.toml").write_text("schema = 1\n")
    return run.directory


def server(directory: Path, journals: bool = True, backlog: int = 10) -> Path:
    """Make a run in which a reload of a foreign server loses something.

    Args:
        directory: an empty one.
        journals: whether its application kept one.
        backlog: of its port.
    """
    run = Run(directory)
    for path in run.journals.iterdir():
        path.unlink()
    run.client(
        *(attempt("ok", 10.0 + n / 10, 10.05 + n / 10, id=f"ok{n}", wait=0.01) for n in range(20)),
        attempt("wait.closed", 10.5, 10.6, id="lost", wait=0.01),
        attempt("wait.closed", 10.6, 10.7, id="begun", nth=3, wait=0.01),
        attempt("connect.timeout", 11.0, 12.0, id="full", tls=None),
        attempt("http.502", 11.0, 11.1, id="bad", wait=0.01),
    )
    if journals:
        ran = [execution(f"ok{n}") for n in range(20)]
        run.worker(*ran, Begun(time=10.62, id="begun", worker=21))
        bad = Execution(
            time=11.0, id="bad", worker=0, method="GET", target="/", status=502, source="access_log"
        )
        run.write("worker", 0, bad)
    run.write(
        "runner",
        41,
        event("load_started", 9.9),
        event("action", 10.45, detail="signal HUP"),
        event("action", 11.9, detail="command true"),
        Kernel(time=9.9, queued=0, backlog=backlog),
        Kernel(time=11.5, queued=11, backlog=backlog, overflows=4),
        event("load_finished", 12.1),
        event("server_exited", 12.5, detail="exit 0"),
    )
    variant = Variant("v", "Reloads", server="foreign")
    return finish(run, variant, server="foreign", version="nginx/1.22.1 <&>")


def client(directory: Path, alike: bool = False, away: bool = False) -> Path:
    """Make a run in which a foreign client sends again what had run.

    Args:
        directory: an empty one.
        alike: whether its requests cannot be told apart.
        away: whether nothing of it came through.
    """
    run = Run(directory)
    command = ["curl", "--retry", "3", "https://127.0.0.1:7/status?n=1"]
    ended: dict[str, Any] = {
        "command": command,
        "exit": None if away else 2,
        "signal": 9 if away else None,
    }
    ended |= {"duration_s": 3.5, "url": "https://127.0.0.1:7/status"}
    (run.folder / "client.json").write_text(json.dumps(ended))
    run.write("runner", 41, event("load_started", 10.0), event("load_finished", 13.5))
    run.write("runner", 41, event("action", 10.4, detail="worker hang"))
    if away:
        run.front(turned_away(10.2), turned_away(14.0, "stopping"), pause(10.0, 12.0))
        return finish(run, Variant("v", "Refused", client="foreign"))
    run.front(
        request("fine", dispatched=10.51),
        lost("Connection_Dropped", "twice"),
        request("twice", time=11.0, answered=11.5, dispatched=11.1),
        lost("Connection_Dropped", "gone <&>", None),
        request("busy", None, status=503, cause="QueueFull"),
    )
    run.worker(execution("fine"), execution("twice"), execution("killed"))
    if not alike:
        run.worker(execution("twice"))
    else:
        run.front(request(None), request(None))
        run.worker(execution(None), execution(None))
    return finish(run, Variant("v", "Sends again", client="foreign"), notes=["gate open: never"])
