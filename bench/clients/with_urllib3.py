"""urllib3: one pool manager, for all threads."""

from collections.abc import Callable

import urllib3

from bench.clients import load

asked = load.read()
pool = urllib3.PoolManager(maxsize=asked.at_once)  # or threads throw each other's connections away


def send(name: str) -> int:
    """Send one request."""
    headers = {"X-Request-Id": name}
    return pool.request(asked.method, asked.url, body=asked.body, headers=headers).status


def sender() -> Callable[[str], int]:
    """Give every thread the same."""
    return send


load.leave(load.by_threads(asked, sender))
