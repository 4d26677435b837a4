"""Foreign servers of a few lines, and scenarios that name them."""

from pathlib import Path
from typing import Any

from vaultstorm import runner
from vaultstorm.scenario import load
from vaultstorm_wire import journal

HEAD = """\
schema = 1
title = "Foreign"
article = "x"
breaks = "It breaks."
why = "It is small."
fixes = "More of it."
seed = 5
time_limit = "40s"

[load]
scheme = "http"
clients = 2
requests = 3
"""

SERVER = """
import os, signal, sys
from wsgiref.simple_server import WSGIRequestHandler, make_server
from vaultstorm.foreign.app import wsgi

class Quiet(WSGIRequestHandler):
    def log_message(self, *args): pass

told = os.path.join(sys.argv[3], "told")
def tell(number, frame):
    with open(told, "a") as file:
        file.write(signal.Signals(number).name + "\\n")
signal.signal(signal.SIGHUP, tell)
server = make_server(sys.argv[1], int(sys.argv[2]), wsgi, handler_class=Quiet)
print("serves", flush=True)
server.serve_forever(0.01)
"""
"""Answers one request after the other, and writes down each HUP."""

TARGET = f"""
[target]
command = ["{{python}}", "{{dir}}/server.py", "{{host}}", "{{port}}", "{{dir}}"]
ready = "/"
[target.files]
"server.py" = '''{SERVER}'''
"""

VARIANT = """
[variants.only]
title = "x"
why = "y"
"""


def scenario(directory: Path, text: str) -> Path:
    """Write a scenario file."""
    path = directory / "foreign.toml"
    path.write_text(text)
    return path


def run(directory: Path, text: str, **options: Any) -> dict[str, Any]:
    """Run a scenario of one variant, and give the variant's result."""
    chosen = runner.Options(out=directory / "out", **options)
    outcome = runner.run(load(scenario(directory, text)), chosen)
    assert outcome.result["violations"] == []
    result: dict[str, Any] = outcome.result["variants"]["only"]
    return result


def failures(result: dict[str, Any]) -> list[str]:
    """Give what went otherwise than it was written."""
    return [check["actual"] for check in result["expectations"] if not check["passed"]]


def records(directory: Path) -> list[journal.AnyRecord]:
    """Give what the runner has journalled."""
    (path,) = (directory / "out/only/journal").glob("runner-*.ndjson")
    with path.open("rb") as lines:
        return list(journal.read(lines))


def events(directory: Path) -> list[tuple[str, str | None]]:
    """Give the events in it, in order."""
    return [(e.name, e.detail) for e in records(directory) if isinstance(e, journal.Event)]
