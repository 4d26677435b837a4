"""The end of standard input, on a real loop and real pipes."""

import asyncio
import contextlib
import os
from pathlib import Path

import pytest
import uvloop

from vaultstorm_server import stdin
from vaultstorm_wire.errors import UsageError


def test_what_comes_is_unread_and_the_end_is_told_once() -> None:
    """Whoever writes to it does not end the server; whoever closes it does."""
    theirs, ours = os.pipe()

    async def scenario() -> None:
        ended = asyncio.Event()
        stdin.watch(asyncio.get_running_loop(), ended.set, theirs)
        os.write(ours, b"x" * stdin.CHUNK)
        await asyncio.sleep(0)
        assert not ended.is_set()
        os.close(ours)
        await ended.wait()
        assert not asyncio.get_running_loop().remove_reader(theirs)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())
    os.close(theirs)


def test_what_has_no_end_to_wait_for_is_refused(tmp_path: Path) -> None:
    """A file is no pipe: says what to do."""
    loop = uvloop.new_event_loop()
    with (
        contextlib.closing(loop),
        (tmp_path / "file").open("wb") as file,
        pytest.raises(UsageError, match="pipe"),
    ):
        stdin.watch(loop, lambda: None, file.fileno())
