"""What the programs share: how they are asked, and how they count."""

import argparse
import asyncio
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, NamedTuple

BODIED: Final = ("POST", "PUT", "PATCH")
BODY: Final = b"x" * 64


class Load(NamedTuple):
    """What a program is asked to send.

    Attributes:
        url: where to.
        method: of all requests.
        requests: how many, in all.
        at_once: how many threads or tasks share them.
        pause: seconds between an answer and the next request.
        retry: what curl's option of this name is given; 0 leaves it out.
        max_time: likewise.
    """

    url: str
    method: str
    requests: int
    at_once: int
    pause: float
    retry: int
    max_time: int

    @property
    def body(self) -> bytes | None:
        """What is sent with each request."""
        return BODY if self.method in BODIED else None


class Counts:
    """How many requests were answered, and what the first failure was."""

    def __init__(self) -> None:
        self.succeeded = 0
        self.failed = 0
        self.first: str | None = None

    def answered(self, status: int) -> None:
        """Count an answer: an error of the server's is a failure."""
        if status < 500:
            self.succeeded += 1
        else:
            self.error(f"status {status}")

    def error(self, what: object) -> None:
        """Count a failure."""
        self.failed += 1
        self.first = self.first or (what if isinstance(what, str) else _named(what))

    def end(self) -> int:
        """Print the counts, and give the exit code."""
        first = f", first: {self.first}" if self.first else ""
        print(f"{self.succeeded} succeeded, {self.failed} failed{first}")
        return 1 if self.failed else 0


def read(arguments: list[str] | None = None) -> Load:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--method", default="GET")
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--pause", type=float, default=0.05)
    parser.add_argument("--retry", type=int, default=0)
    parser.add_argument("--max-time", type=int, default=0)
    return Load(**vars(parser.parse_args(arguments)))


def by_threads(load: Load, sender: Callable[[], Callable[[str], int]]) -> int:
    """Let threads send all requests.

    Args:
        load: what was asked for.
        sender: makes what a thread sends a request of an id with, and gets its status by.
    """
    counts, names, lock = Counts(), _names(load), threading.Lock()

    def work() -> None:
        send = sender()
        while True:
            with lock:
                name = next(names, None)
            if name is None:
                return
            try:
                status = send(name)
            except Exception as error:  # of whatever kind a library raises
                with lock:
                    counts.error(error)
            else:
                with lock:
                    counts.answered(status)
            time.sleep(load.pause)

    threads = [threading.Thread(target=work) for _ in range(load.at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts.end()


async def by_tasks(load: Load, send: Callable[[str], Awaitable[int]]) -> int:
    """Let tasks send all requests; `send` is as with threads."""
    counts, names = Counts(), _names(load)

    async def work() -> None:
        for name in names:
            try:
                counts.answered(await send(name))
            except Exception as error:  # of whatever kind a library raises
                counts.error(error)
            await asyncio.sleep(load.pause)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(load.at_once):
            tasks.create_task(work())
    return counts.end()


def leave(status: int) -> None:
    """End the program."""
    sys.exit(status)


def _names(load: Load) -> Iterator[str]:
    """Name all requests, each differently: the server tells by that which came twice."""
    return (f"{load.method.lower()}-{number:06d}" for number in range(1, load.requests + 1))


def _named(error: object) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0]
