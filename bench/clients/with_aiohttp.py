"""aiohttp: one session, for all tasks."""

import asyncio

import aiohttp

from bench.clients import load

asked = load.read()


async def main() -> int:
    """Send all requests through one session."""
    async with aiohttp.ClientSession() as session:

        async def send(name: str) -> int:
            headers = {"X-Request-Id": name}
            async with session.request(
                asked.method, asked.url, data=asked.body, headers=headers
            ) as answer:
                await answer.read()
                return answer.status

        return await load.by_tasks(asked, send)


load.leave(asyncio.run(main()))
