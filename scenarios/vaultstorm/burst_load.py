"""Our own client as a variant's load: `vaultstorm burst`."""

import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from vaultstorm import workload
from vaultstorm.actions import Action
from vaultstorm.ended import EndedAttempts
from vaultstorm.foreign.programs import how
from vaultstorm.last_words import because
from vaultstorm.run_directory import has_content
from vaultstorm_client.plan import Plan
from vaultstorm_server import interpreter
from vaultstorm_wire.errors import MachineError, VaultstormError

RESULT: Final = "burst.json"
LOG: Final = "client.log"


class BurstLoad:
    """A burst at one server.

    Args:
        plan: what it does.
        url: the server's.
        ca: whom it trusts.
        directory: of the variant.
        allow_remote: whether the server may be beyond loopback and private addresses.

    Attributes:
        command: what runs it.
        env: its whole environment: ours.
        stdout: where it prints; None for its log.
    """

    def __init__(
        self, plan: Plan, url: str, ca: str | None, directory: Path, allow_remote: bool = False
    ) -> None:
        self.command = [
            *interpreter.command("vaultstorm", "burst", url),
            *(*workload.options(plan), *([f"--ca={ca}"] if ca else [])),
            *(f"--journal={directory / 'journal'}", f"--json={directory / RESULT}"),
            *(["--allow-remote"] if allow_remote else []),
        ]
        self.env: Mapping[str, str] = interpreter.environment()
        self.stdout: int | None = subprocess.DEVNULL
        self._directory = directory
        self._attempts = EndedAttempts(directory / "journal")
        self._wanted = workload.attempts(plan, url.partition(":")[0])

    def begun(self) -> bool:
        """Tell whether its first SYN is near."""
        return self._attempts.begun()

    def ended(self, counts: Mapping[str, int]) -> int:
        """Give how many of its attempts have ended."""
        del counts  # it knows itself
        return self._attempts.count()

    def line(self) -> str:
        """Say how far it is."""
        total = f" of {self._wanted}" if self._wanted else ""
        return f"{self._attempts.count()}{total} attempts ended"

    def interrupt(self, process: "subprocess.Popen[bytes]") -> None:
        """Ask it to end at once; its own processes it ends itself."""
        process.send_signal(signal.SIGINT)

    def finish(self, code: int | None, cut: str | None) -> list[str]:
        """Judge how it ended, and say what was otherwise than it should be.

        Args:
            code: its exit code; None if it had to be killed.
            cut: why the run had to end.

        Raises:
            MachineError: the machine would not let it.
            VaultstormError: it failed by a bug of ours.
        """
        # Cut short while its interpreter started, it ends however that takes SIGINT
        if code not in (0, 130) and not cut and not self._has_finding(code):
            # It says itself what the machine will not do.
            kind: Callable[[str], VaultstormError] = VaultstormError if code == 4 else MachineError
            raise kind(f"the load ended with {how(code)}{because(self._directory / LOG)}")
        return ["the load was interrupted"] if code == 130 and not cut else []

    def unmet(self, actions: Sequence[Action]) -> list[str]:
        """Say of actions that never came due that the run was not the one that is written."""
        return [f"the load ended before the action came due: {action}" for action in actions]

    def _has_finding(self, code: int | None) -> bool:
        """Tell whether it has found that what was acknowledged is lost or corrupt."""
        return code == 1 and has_content(self._directory / RESULT)
