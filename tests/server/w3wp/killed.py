"""A process that is killed before its n-th system call, for n = 1, 2, 3 ...: ``killed.py FOLDER``.

For each n it forks, uses a store in FOLDER/n, and prints a line of JSON with what the store had
acknowledged by then. The last line is that of the process that came to its end.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.server.w3wp.samples import BLOCKS, MANIFEST, NAMES, PLANTED
from tests.server.w3wp.system_calls import step_in
from vaultstorm_server.w3wp.store import Store


def use(directory: Path, acknowledge: Callable[[str], None]) -> None:
    """Do with a store all that there is to do."""
    store = Store(directory, 0)
    for name, block in zip(NAMES, BLOCKS, strict=True):
        store.put(name, block)
        acknowledge(name)
    store.put(NAMES[0], BLOCKS[0])  # known
    with Path(directory, "blocks", NAMES[1]).open("wb") as file:
        file.write(PLANTED)
    store.put(NAMES[1], BLOCKS[1])  # repaired
    acknowledge("repaired")
    store.commit("Full backup", MANIFEST, NAMES)
    acknowledge("Full backup")
    store.commit("Full backup", MANIFEST, NAMES)
    later = Store(directory, 0)  # of the worker process that takes over
    later.commit("of the new process", MANIFEST, NAMES)
    acknowledge("of the new process")
    store.close()
    later.close()


def killed_before(nth: int, directory: Path, out: int) -> None:
    """Use a store up to the n-th call."""
    count = 0
    write = os.write

    def step(_: str, arguments: tuple[Any, ...], call: Callable[..., Any]) -> Any:
        nonlocal count
        count += 1
        if count == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments)

    step_in(step)
    use(directory, lambda what: (write(out, what.encode() + b"\n"), None)[1])


def main(folder: Path) -> None:
    """Fork until one comes to its end."""
    ended, nth = False, 0
    while not ended:
        nth += 1
        receiving, sending = os.pipe()
        pid = os.fork()
        if not pid:
            status = 1
            try:
                killed_before(nth, folder / str(nth), sending)
                status = 0
            finally:
                os._exit(status)
        os.close(sending)
        with open(receiving) as lines:
            acknowledged = lines.read().splitlines()
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        ended = status != -signal.SIGKILL
        report = {"directory": str(nth), "status": status, "acknowledged": acknowledged}
        sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
