"""Keeps a vault busy over kept connections: ``-m bench.vault_load PORT CONNECTIONS``.

For each line ``puts SECONDS`` or ``gets SECONDS`` on its standard input it prints one line of JSON.
One request is under way on every connection. Blocks are of 4 KiB and no two alike; gets go round
what was put, and every block is held against its name.
"""

import hashlib
import itertools
import json
import os
import select
import sys
import time
from typing import Final

from bench.children import many_descriptors
from bench.https import Answer, answer
from bench.interface import Interface

BLOCK: Final = 4096
_COUNTER: Final = 8


class Load:
    """The connections, and the names of what was put."""

    def __init__(self, port: int, connections: int) -> None:
        self._lanes = {
            lane.connection.fileno(): lane for lane in (Interface(port) for _ in range(connections))
        }
        self._wanted = dict.fromkeys(self._lanes, "")
        self._kept: list[str] = []
        self._next = 0
        self._filling = os.urandom(BLOCK - _COUNTER)
        self._numbers = itertools.count()
        self._poll = select.epoll()
        for descriptor in self._lanes:
            self._poll.register(descriptor, select.EPOLLIN)

    def go(self, puts: bool, seconds: float) -> dict[str, float]:
        """Keep every connection busy for some seconds; answers that come after them count not."""
        done = failed = 0
        cpu = time.process_time()
        start = time.perf_counter()
        end = start + seconds
        for descriptor in self._lanes:
            self._send(descriptor, puts)
        waiting = len(self._lanes)
        while waiting:
            for descriptor, _ in self._poll.poll():
                got = answer(self._lanes[descriptor].connection)
                good = self._good(descriptor, puts, got)
                if time.perf_counter() < end:
                    done += good
                    failed += not good
                    self._send(descriptor, puts)
                else:
                    waiting -= 1
        busy = (time.process_time() - cpu) / (time.perf_counter() - start)
        return {"done": done, "failed": failed, "load": busy}

    def _send(self, descriptor: int, puts: bool) -> None:
        lane = self._lanes[descriptor]
        if puts:
            block = self._filling + next(self._numbers).to_bytes(_COUNTER, "big")
            name, request = lane.put_request(block)
        else:
            name = self._kept[self._next % len(self._kept)]
            self._next += 1
            request = lane.get_request(name)
        self._wanted[descriptor] = name
        lane.connection.sendall(request)

    def _good(self, descriptor: int, puts: bool, got: Answer) -> bool:
        name = self._wanted[descriptor]
        if not puts:
            return got.status == 200 and hashlib.sha256(got.body).hexdigest() == name
        if got.status == 201:
            self._kept.append(name)
        return got.status == 201


def main(port: int, connections: int) -> None:
    """Do what is asked until standard input ends."""
    many_descriptors()
    load = Load(port, connections)
    for line in sys.stdin:
        what, seconds = line.split()
        print(json.dumps(load.go(what == "puts", float(seconds))), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
