"""A packet capture for tests: skips with a word where it is not allowed, and must be complete."""

import contextlib
from collections.abc import Iterator

import pytest

from tests.support.bpf import FIN, RST, SYN
from tests.support.capture import Capture, CaptureUnavailable


@contextlib.contextmanager
def captured(port: int | None, mask: int = SYN | RST | FIN) -> Iterator[Capture]:
    """Capture the block's segments of `port`; nothing may have been dropped at its end."""
    with contextlib.ExitStack() as stack:
        try:
            running = stack.enter_context(Capture(port, mask))
        except CaptureUnavailable as error:
            pytest.skip(str(error))
        yield running
    assert running.statistics().dropped == 0
