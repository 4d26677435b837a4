"""The end of standard input, by which a server notices that whoever started it is gone."""

import asyncio
import os
from collections.abc import Callable
from typing import Final

from vaultstorm_wire.errors import UsageError

STDIN: Final = 0
CHUNK: Final = 65536


def watch(loop: asyncio.AbstractEventLoop, ended: Callable[[], None], stdin: int = STDIN) -> None:
    """Call `ended` once, when a pipe, socket or terminal has come to its end; what comes is unread.

    Args:
        loop: waits.
        ended: called then.
        stdin: the descriptor.

    Raises:
        UsageError: it is something that cannot be waited for, such as a file.
    """

    def readable() -> None:
        try:
            more = os.read(stdin, CHUNK)
        except OSError:  # a terminal that was hung up
            more = b""
        if not more:
            loop.remove_reader(stdin)
            ended()

    try:
        loop.add_reader(stdin, readable)
    except OSError as error:  # epoll(7) takes no files and no /dev/null
        raise UsageError(
            f"--until-eof needs a pipe or a terminal as standard input ({error.strerror}): keep "
            "its other end open for as long as the server is to run"
        ) from error
