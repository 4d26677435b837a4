"""What calls ask for, and what an answer to them has to say."""

import pytest

from vaultstorm_client.agent import calls
from vaultstorm_client.agent.calls import Answer


@pytest.mark.parametrize(
    "body, interface",
    [
        (b'{"interface": "a1-7"}', "a1-7"),
        (b'{"interface": "' + b"x" * 128 + b'"}', "x" * 128),
        (b'{"interface": "' + b"x" * 129 + b'"}', None),
        (b'{"interface": ""}', None),
        (b'{"interface": "a/b"}', None),
        (b'{"interface": "a b"}', None),
        (b'{"interface": "a\\r\\nX: y"}', None),
        (b'{"interface": 7}', None),
        (b'{"interface": null}', None),
        (b'{"face": "a"}', None),
        (b'["interface"]', None),
        (b"<html>", None),
        (b"", None),
        (b'"\xff"', None),
        (b"[" * 16000, None),
        (b'{"interface": "a"', None),
    ],
)
def test_interfaces(body: bytes, interface: str | None) -> None:
    """A name that can stand in a path is taken, everything else is nonsense."""
    assert calls.interface_in(Answer(201, body)) == interface


@pytest.mark.parametrize(
    "body, names",
    [
        (b'{"damaged": []}', []),
        (b'{"damaged": ["a", "b"]}', ["a", "b"]),
        (b'{"damaged": ["a", 1]}', None),
        (b'{"damaged": "a"}', None),
        (b"{}", None),
        (b"", None),
    ],
)
def test_lists_of_names(body: bytes, names: list[str] | None) -> None:
    """A list of names is taken, everything else is nonsense."""
    assert calls.names_in(Answer(200, body), "damaged") == names


@pytest.mark.parametrize("size", [0, 1, 16383, 16384, 16385, 1 << 20])
def test_a_read_back_that_is_too_long_shows(size: int) -> None:
    """More of an answer is kept than was put, so that no longer one can look the same."""
    content = bytes(size)
    assert calls.reading("i", "0" * 64, content, False, 0).keep > size
    assert calls.reading_manifest("i", "s", content, 0).keep > size


def test_lists_have_room() -> None:
    """An answer that names every block of the largest snapshot is kept whole."""
    names = ["f" * 64] * 1000
    assert len(calls.manifest_of(names)) < calls.verifying("i", "s", 1000, 0).keep
    assert len(calls.manifest_of(names)) < calls.committing("i", "s", b"", "", 1000).keep


def test_a_manifest() -> None:
    """A manifest names its blocks in order, one as often as it comes."""
    assert calls.manifest_of(["b", "a", "b"]) == b'{"blocks":["b","a","b"]}'
