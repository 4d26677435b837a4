"""Opens TLS connections and holds them: ``-m bench.opener PORT COUNT PATH``.

It takes a step for each line on its standard input, which names it, and says in a line of JSON what
came of it: ``opened`` opens them all, ``answered`` sends one request on every one and reads the
answers, ``standing`` looks which of them the server has not ended.
"""

import json
import select
import ssl
import sys
from collections import Counter

from bench.children import many_descriptors
from bench.https import ask, connect, context


class Opener:
    """The connections of one process."""

    def __init__(self, port: int, count: int, path: str) -> None:
        self._port = port
        self._count = count
        self._path = path
        self._tls = context()
        self._held: list[ssl.SSLSocket] = []
        self.failures: Counter[str] = Counter()

    def opened(self) -> int:
        """Open them all; give how many there are."""
        for _ in range(self._count):
            try:
                self._held.append(connect(self._port, self._tls))
            except OSError as error:
                self.failures[f"open: {error}"] += 1
        return len(self._held)

    def answered(self) -> int:
        """Ask on each; give how many were answered with 200."""
        answered = 0
        for connection in self._held:
            try:
                answered += ask(connection, self._path).status == 200
            except (OSError, ValueError) as error:
                self.failures[f"ask: {error}"] += 1
        return answered

    def standing(self) -> int:
        """Count the connections that the server has not ended."""
        poll = select.poll()
        for connection in self._held:
            poll.register(connection, select.POLLIN | select.POLLRDHUP)
        ended = {descriptor for descriptor, _ in poll.poll(0)}
        return len(self._held) - len(ended)


def main(port: int, count: int, path: str) -> None:
    """Take the steps, each when it is asked for."""
    many_descriptors()
    opener = Opener(port, count, path)
    steps = {step.__name__: step for step in (opener.opened, opener.answered, opener.standing)}
    for line in sys.stdin:
        name = line.strip()
        print(json.dumps({name: steps[name](), "failures": opener.failures}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
