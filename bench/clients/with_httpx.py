"""HTTPX: one client, for all tasks."""

import asyncio

import httpx

from bench.clients import load

asked = load.read()


async def main() -> int:
    """Send all requests through one client."""
    async with httpx.AsyncClient() as client:

        async def send(name: str) -> int:
            headers = {"X-Request-Id": name}
            answer = await client.request(
                asked.method, asked.url, content=asked.body, headers=headers
            )
            return answer.status_code

        return await load.by_tasks(asked, send)


load.leave(asyncio.run(main()))
