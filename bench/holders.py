"""Several processes that hold TLS connections together, step by step."""

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from bench.children import PYTHON, BenchError, Child

_STEP_S: Final = 300.0


class Step(NamedTuple):
    """What all of them together have done."""

    total: int
    failures: dict[str, int]


class Holders:
    """The processes; `step` takes them one step on, all at the same time."""

    def __init__(self, children: list[Child]) -> None:
        self._children = children

    def step(self, name: str, during: Callable[[], None] = lambda: None) -> Step:
        """Take a step, and add up what they say.

        Args:
            name: ``opened``, ``answered`` or ``standing``.
            during: what is done after all have been asked and before any answer is read.
        """
        for child in self._children:
            child.say(name)
        during()
        total, failures = 0, dict[str, int]()
        for child in self._children:
            said = json.loads(child.line(_STEP_S))
            if name not in said:
                raise BenchError(f"{child.name} said {said} instead of {name}")
            total += said[name]
            for what, times in said["failures"].items():
                failures[what] = failures.get(what, 0) + times
        return Step(total, failures)


@contextlib.contextmanager
def holders(port: int, count: int, processes: int, path: str) -> Iterator[Holders]:
    """Start processes that will hold `count` connections, shared out evenly."""
    shares = [count // processes + (at < count % processes) for at in range(processes)]
    with contextlib.ExitStack() as stack:
        started = [
            stack.enter_context(Child([PYTHON, "-m", "bench.opener", str(port), str(share), path]))
            for share in shares
        ]
        yield Holders(started)
