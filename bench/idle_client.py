"""A plain asyncio client that holds idle TLS connections: ``-m bench.idle_client PORT COUNT LOOP``.

Each has had one answer, and is a pair of streams, as asyncio.open_connection() gives it; LOOP is
``asyncio`` or ``uvloop``. Prints a line when all of them stand, and ends with its standard input.
"""

import asyncio
import sys
from typing import Final

import uvloop

from bench.children import many_descriptors
from bench.https import context, request

_AT_ONCE: Final = 64


async def hold(port: int, count: int) -> None:
    """Open them, and keep them."""
    tls, turns = context(), asyncio.Semaphore(_AT_ONCE)

    async def open_one() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with turns:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
            writer.write(request("/"))
            head = await reader.readuntil(b"\r\n\r\n")
            (length,) = (
                int(line.partition(b":")[2])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            )
            await reader.readexactly(length)
            return reader, writer

    held = await asyncio.gather(*(open_one() for _ in range(count)))
    print(len(held), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    many_descriptors()
    run = uvloop.run if sys.argv[3] == "uvloop" else asyncio.run
    run(hold(*map(int, sys.argv[1:3])))
