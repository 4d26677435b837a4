"""Runs that the tests of the report share."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.report import making
from vaultstorm.report import data


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a run of 100 attempts in each of six variants; nobody writes into it."""
    return making.make(tmp_path_factory.mktemp("run"))


@pytest.fixture
def db(run: Path) -> Iterator[sqlite3.Connection]:
    """Open its database."""
    with data.opened(run) as source:
        yield source.db
