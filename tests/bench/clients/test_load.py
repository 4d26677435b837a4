"""What the client programs share."""

import asyncio
from collections.abc import Callable

import pytest

from bench.clients import load


def asked(requests: int = 5, at_once: int = 2) -> load.Load:
    """Ask for a few requests."""
    return load.read(
        ["http://127.0.0.1:1/", f"--requests={requests}", f"--at-once={at_once}", "--pause=0"]
    )


def test_only_methods_with_a_body_have_one() -> None:
    """GET has none."""
    assert asked().body is None
    assert load.read(["http://127.0.0.1:1/", "--method=POST"]).body == load.BODY


@pytest.mark.parametrize("at_once", [1, 2, 9])
def test_every_request_is_sent_once_under_a_name_of_its_own(
    at_once: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """However many threads share them."""
    sent: list[str] = []

    def sender() -> Callable[[str], int]:
        def send(name: str) -> int:
            sent.append(name)
            return 200

        return send

    assert load.by_threads(asked(at_once=at_once), sender) == 0
    assert sorted(sent) == [f"get-{number:06d}" for number in range(1, 6)]
    assert capsys.readouterr().out == "5 succeeded, 0 failed\n"


def test_tasks_share_them_likewise(capsys: pytest.CaptureFixture[str]) -> None:
    """An exception and an error of the server's are failures; the first one is said."""
    sent: list[str] = []

    async def send(name: str) -> int:
        sent.append(name)
        if len(sent) == 2:
            raise OSError("gone\nfor good")
        return 503 if len(sent) == 4 else 404

    assert asyncio.run(load.by_tasks(asked(at_once=1), send)) == 1
    assert len(set(sent)) == 5
    assert capsys.readouterr().out == "3 succeeded, 2 failed, first: OSError: gone\n"
