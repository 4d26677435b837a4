"""The loop and the stage for the listeners' tests."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvloop

from tests.server.afd.harness import Stage


@pytest.hookimpl(optionalhook=True)
def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run on uvloop, as the server does."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A stage that closes everything at the end."""
    stage = Stage(tmp_path)
    yield stage
    stage.close()
