"""What the tests of reconcile share."""

from pathlib import Path

import pytest

from tests.lab.reconcile.foreign_runs import Foreign
from tests.lab.reconcile.harness import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Give a run directory without an attempt."""
    return Run(tmp_path / "run")


@pytest.fixture
def server(run: Run) -> Foreign:
    """Give a run against a foreign server without a record."""
    return Foreign(run)
