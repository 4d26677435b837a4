"""A listener that counts by the kernel, where nobody else is: started by test_exhausted.py."""

import asyncio
import json
import sys
from pathlib import Path

import uvloop

from tests.server.afd.alone import loopback_up
from tests.server.afd.harness import Stage, states, until
from vaultstorm_server.afd.exhausted import LOOK_EVERY


async def main(directory: Path) -> None:
    """Refuse to just below the limit, reset elsewhere, refuse once more, and reset."""
    loopback_up()
    stage = Stage(directory)
    listener = stage.open("exhausted", gate=False, Backlog=10)
    other = stage.open("reset", gate=False, Backlog=1)
    stage.connect(listener, 10)
    await until(lambda: listener.statistics().paused)

    refused = stage.connect(listener, 4)
    elsewhere = stage.connect(other, 21)
    await until(lambda: states(elsewhere) == {"connected": 1, "reset": 20})
    await until(lambda: listener.statistics().refused == 4)
    await asyncio.sleep(20 * LOOK_EVERY)  # the next look comes before: it counts no reset elsewhere
    before = {
        "refused": states(refused)["refused"],
        "elsewhere": states(elsewhere)["reset"],
        "paused": listener.statistics().paused,
        "counted": listener.statistics().refused,
    }
    refused += stage.connect(listener, 1)
    await until(lambda: listener.statistics().protecting)
    later = stage.connect(listener, 50)
    await until(lambda: states(later) == {"reset": 50})
    after = {
        "refused": states(refused)["refused"],
        "reset": states(later)["reset"],
        "paused": listener.statistics().paused,
        "counted": listener.statistics().refused,
    }
    stage.close()
    sys.stdout.write(json.dumps({"before": before, "after": after}))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(Path(sys.argv[1])))
