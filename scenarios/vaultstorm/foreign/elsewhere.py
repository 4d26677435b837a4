"""A foreign server that runs already: it is reached, and neither started nor ended."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from vaultstorm.actions import Action
from vaultstorm.foreign import placeholders, programs, ready, records
from vaultstorm.foreign.server import WROTE
from vaultstorm.foreign.target import Target
from vaultstorm_wire.errors import MachineError

_PAUSE: Final = 0.05


class ServerElsewhere:
    """Somebody else's server, wherever it runs.

    Attributes:
        url: what the load is fired at.
        ca: whom the load trusts; None for whom the system trusts.
        env: of the commands that are run beside it.
    """

    def __init__(self, target: Target, filled: dict[str, str], scheme: str) -> None:
        self.url = f"{scheme}://{filled['address']}"
        self.ca = target.ca
        self._target = target
        self._values = filled
        self.env = programs.environment({"VAULTSTORM_JOURNAL": filled["journal"]})
        self._before = records.marks(target, filled)

    def poll(self) -> int | None:
        """Give its exit code: nothing that we would learn."""
        return None

    def look(self, patience: float) -> dict[str, int]:
        """Give what it has counted: nothing that we could read."""
        del patience
        return {}

    def tick(self) -> None:
        """Look at its port: nothing that we could see."""

    def act(self, action: Action, patience: float, meanwhile: Callable[[], None]) -> None:
        """Run the command of an action, and wait for its end. Raises MachineError."""
        command = placeholders.fill_words(action.command, self._values)
        command[0] = programs.find(command[0], None, self.env["PATH"])
        output = Path(self._values["dir"]) / "actions.log"
        output.parent.mkdir(parents=True, exist_ok=True)
        programs.run_to_end(command, self.env, output, patience, meanwhile)

    def is_expected(self, code: int) -> bool:
        """Tell whether it has ended because it was asked to."""
        del code
        return True

    def stop(self) -> int | None:
        """Leave it as it is."""
        return None

    def collect(self) -> list[str]:
        """Bring its records into the run, and say what could not be."""
        return records.collect(self._target, self._values, self._before)


@contextmanager
def reached(
    target: Target, filled: dict[str, str], scheme: str, directory: Path, wait: Callable[[], None]
) -> Iterator[ServerElsewhere]:
    """Give a server that runs already, when it is ready.

    Args:
        target: the server.
        filled: what the placeholders stand for.
        scheme: of the load.
        directory: of the variant.
        wait: called again and again until it is ready; what it raises ends the wait.

    Raises:
        MachineError: it is not ready in time.
    """
    deadline = time.monotonic() + target.patience
    while True:
        wait()
        missing = ready.why_not(target.ready, scheme, filled["host"], int(filled["port"]))
        if missing is None:
            break
        if time.monotonic() >= deadline:
            raise MachineError(f"{target.url} is not ready after {target.patience:g} s: {missing}")
        time.sleep(_PAUSE)
    server = ServerElsewhere(target, filled, scheme)
    version = placeholders.fill_words(target.version, filled)
    said = {
        "schema": 1,
        "command": None,
        "url": server.url,
        "version": programs.version(version, server.env, wait) if version else None,
    }
    (directory / WROTE).write_bytes(msgspec.json.format(msgspec.json.encode(said)) + b"\n")
    yield server
