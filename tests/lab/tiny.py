"""A scenario that runs in two seconds, and what is left of a run's processes."""

import json
from pathlib import Path
from typing import Any

HEAD = """\
schema = 1
title = "Tiny"
article = "KB960007"
breaks = "It breaks."
why = "It is small."
fixes = "More of it."
seed = 5
time_limit = "50s"

[server.afd]
Backlog = 2

[load]
scheme = "http"
clients = 5
"""

GATE = """\
actions = [
    { at = "0s", action = "gate closed" },
    { when = "queued + ended == 5", action = "gate open" },
]
"""

BROKEN = f"""\
[variants.broken]
title = "backlog 2"
why = "Two of five find a slot."
{GATE}
expect = ["ok == 2", "lost == 3", "causes.backlog_full == 3", "unexplained == 0"]
"""

FIXED = f"""\
[variants.fixed]
title = "backlog 5"
why = "All find a slot."
server = {{ afd = {{ Backlog = 5 }} }}
{GATE}
expect = ["ok == 5", "verdicts.once == 5"]
"""

TINY = f"{HEAD}\n{BROKEN}\n{FIXED}"

HANGING = f"""{HEAD}
[variants.hanging]
title = "nobody is served"
why = "The gate stays closed."
server = {{ afd = {{ Backlog = 5 }} }}
actions = [{{ at = "0s", action = "gate closed" }}]

{FIXED}"""
"""The first variant's load would go on for 30 s."""


AGENTS = """\
schema = 1
title = "Agents"
article = "TECH39579"
breaks = "It breaks."
why = "It is small."
fixes = "More of it."
seed = 7
time_limit = "50s"

[load]
scheme = "http"
workload = "agent"
clients = 2
requests = 2
lanes = 2
blocks = 3
block_sizes = "1KiB"
"""


def write(directory: Path, text: str = TINY, name: str = "tiny.toml") -> Path:
    """Write a scenario file."""
    path = directory / name
    path.write_text(text)
    return path


def result(out: Path) -> dict[str, Any]:
    """Read the result of a run."""
    read: dict[str, Any] = json.loads((out / "run.json").read_text())
    return read


def session_members(session: int) -> list[int]:
    """Give the pids of a session, without those that are dead and not reaped."""
    found = []
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit():
            try:
                text = (directory / "stat").read_text("utf-8", "replace")
            except OSError:
                continue
            state, _, _, its_session = text.rpartition(")")[2].split()[:4]
            if int(its_session) == session and state not in "ZX":
                found.append(int(directory.name))
    return found


DCOM = """\
schema = 1
title = "Threads"
article = "KB960007"
breaks = "It breaks."
why = "It is small."
fixes = "More of it."
seed = 9
time_limit = "50s"

[load]
scheme = "rpc"
clients = 15
bind_timeout = "40s"
"""
