"""What all tests share: their order, and an environment in which processes start fast."""

import os

import pytest

# where it is set, the hundreds of servers that are started here would compile their sources anew
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests with a time limit of their own in front, the longest first.

    In several processes, what takes longest has to begin first.
    """
    items.sort(key=_limit, reverse=True)


def _limit(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker is not None and marker.args else 0.0
