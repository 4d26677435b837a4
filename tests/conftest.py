"""What all tests share: their order, and an environment in which processes start fast."""

import os
import signal

import pytest

# where it is set, the hundreds of servers that are started here would compile their sources anew
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# a shell starts its background jobs deaf to these, and so would be what is started and ended here
for number, handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGQUIT, signal.SIG_DFL),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests with a time limit of their own in front, the longest first.

    In several processes, what takes longest has to begin first.
    """
    items.sort(key=_limit, reverse=True)


def _limit(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker is not None and marker.args else 0.0
