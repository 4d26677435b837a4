"""What a disk gives by itself, without a server."""

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from vaultstorm_server.w3wp.store import Store

BLOCK: Final = 4096


def rate(folder: Path, threads: int, seconds: float) -> float:
    """Count the write + fsync of 4 KiB in a second, by threads with a file each, which grows.

    Raises:
        OSError: the disk will not do it.
    """

    def write(number: int) -> Iterator[None]:
        with open(folder / f"fsync-{number}", "wb", buffering=0) as file:
            while True:
                file.write(os.urandom(BLOCK))
                os.fsync(file)
                yield

    return _rate(write, threads, seconds)


def store_rate(folder: Path, threads: int, seconds: float) -> float:
    """Count the blocks of 4 KiB that a store takes in a second: new files, two fsyncs each.

    Raises:
        OSError: the disk will not do it.
    """
    store = Store(folder, 0)

    def put(_: int) -> Iterator[None]:
        while True:
            block = os.urandom(BLOCK)
            store.put(hashlib.sha256(block).hexdigest(), block)
            yield

    try:
        return _rate(put, threads, seconds)
    finally:
        store.close()


def _rate(work: Callable[[int], Iterator[None]], threads: int, seconds: float) -> float:
    """Let threads work for some seconds; give how many steps a second they took in all."""
    counts = [0] * threads
    failed: list[OSError] = []
    end = time.perf_counter() + seconds

    def run(number: int) -> None:
        try:
            for _ in work(number):
                counts[number] += 1
                if time.perf_counter() >= end:
                    return
        except OSError as error:
            failed.append(error)

    started = time.perf_counter()
    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if failed:
        raise failed[0]
    return sum(counts) / (time.perf_counter() - started)
