"""Manifests, right and wrong."""

import pytest

from vaultstorm_server.w3wp.manifest import blocks_of

A, B = "a" * 64, "b" * 64


def test_blocks_come_in_order_and_as_often_as_they_are_named() -> None:
    """None is a snapshot too."""
    assert blocks_of(f'{{"blocks": ["{B}", "{A}", "{B}"]}}'.encode()) == [B, A, B]
    assert blocks_of(b'{"blocks":[]}') == []


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[]", '{"blocks":1}', '{"blocks":[1]}', '{"blocks":[],"more":1}'),
        *(f'{{"blocks":["{A[1:]}"]}}', f'{{"blocks":["{A}a"]}}', f'{{"blocks":["{A.upper()}"]}}'),
        f'{{"blocks":["{A}\\n"]}}',
    ],
)
def test_what_is_none_says_what_would_be_right(text: str) -> None:
    """Every wrong one is a ValueError that says how to write it."""
    with pytest.raises(ValueError, match="write"):
        blocks_of(text.encode())


@pytest.mark.parametrize("text", [b"\xff", b"[" * 100_000], ids=["bytes", "deep"])
def test_nonsense_is_none_either(text: bytes) -> None:
    """Nothing but a ValueError comes of it."""
    with pytest.raises(ValueError, match="write"):
        blocks_of(text)
