"""Requests: one session for each thread."""

from collections.abc import Callable

import requests

from bench.clients import load

asked = load.read()


def sender() -> Callable[[str], int]:
    """Make a thread's session."""
    session = requests.Session()

    def send(name: str) -> int:
        headers = {"X-Request-Id": name}
        answer = session.request(asked.method, asked.url, data=asked.body, headers=headers)
        return answer.status_code

    return send


load.leave(load.by_threads(asked, sender))
