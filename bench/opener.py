"""Opens TLS connections and holds them: ``-m bench.opener PORT COUNT PATH``.

One step for each line on its standard input, one line of JSON for each step: it opens them all,
sends one request on every one and reads the answers, looks which of them still stand, and ends.
"""

import json
import select
import ssl
import sys
from collections import Counter

from bench.children import many_descriptors
from bench.https import ask, connect, context


def main(port: int, count: int, path: str) -> None:
    """Take the steps, each when it is asked for."""
    many_descriptors()
    tls = context()
    failures: Counter[str] = Counter()
    held: list[ssl.SSLSocket] = []
    sys.stdin.readline()
    for _ in range(count):
        try:
            held.append(connect(port, tls))
        except OSError as error:
            failures[f"open: {error}"] += 1
    _say(opened=len(held), failures=failures)
    sys.stdin.readline()
    answered = 0
    for connection in held:
        try:
            answered += ask(connection, path).status == 200
        except (OSError, ValueError) as error:
            failures[f"ask: {error}"] += 1
    _say(answered=answered, failures=failures)
    sys.stdin.readline()
    _say(standing=_standing(held), failures=failures)
    sys.stdin.readline()
    for connection in held:
        connection.close()


def _standing(held: list[ssl.SSLSocket]) -> int:
    """Count the connections that the server has not ended."""
    poll = select.poll()
    for connection in held:
        poll.register(connection, select.POLLIN | select.POLLRDHUP)
    ended = {descriptor for descriptor, _ in poll.poll(0)}
    return len(held) - len(ended)


def _say(**what: int | Counter[str]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
