"""A disk on which system calls fail."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.server.w3wp.samples import BLOCKS, MANIFEST, NAMES
from tests.server.w3wp.system_calls import step_in
from vaultstorm_server.w3wp.store import FullError, Store

USES: Final[dict[str, Callable[[Store], object]]] = {
    "link": lambda store: store.commit("Full", MANIFEST, NAMES[:1]),
}


def put(store: Store) -> object:
    """Put a new block."""
    return store.put(NAMES[1], BLOCKS[1])


@pytest.mark.parametrize(
    "number, kind",
    [
        (errno.ENOSPC, FullError),
        (errno.EDQUOT, FullError),
        (errno.EROFS, OSError),
        (errno.EACCES, PermissionError),
        (errno.EIO, OSError),
    ],
    ids=["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EIO"],
)
@pytest.mark.parametrize("call", ["mkdir", "open", "write", "fsync", "rename", "link"])
def test_a_call_that_fails_is_told_and_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    number: int,
    kind: type[Exception],
) -> None:
    """A full disk is told from a failing one; nothing is kept, left or counted; then it goes on."""
    store = Store(tmp_path, 0)
    store.put(NAMES[0], BLOCKS[0])
    if call == "mkdir":
        store.close()

    def fails(name: str, arguments: tuple[Any, ...], through: Callable[..., Any]) -> Any:
        files = name != "open" or arguments[1] & os.O_CREAT
        if name == call and files:
            raise OSError(number, os.strerror(number), "disk")
        return through(*arguments)

    with monkeypatch.context() as patched:
        step_in(fails, patched.setattr)
        with pytest.raises(kind) as raised:
            USES.get(call, put)(store)
        if call != "link":
            assert store.get(NAMES[1]) is None
        assert store.snapshot("Full") is None
        assert store.get(NAMES[0]) == BLOCKS[0]
        assert store.statistics() == (1, 0, 0)
    if isinstance(raised.value, FullError):
        assert str(raised.value).endswith(": make room on the disk of vault.Directory")
    if isinstance(raised.value, OSError):
        assert raised.value.errno == number
    assert not [path for path in (tmp_path / "tmp").rglob("*") if path.is_file()]
    assert store.put(NAMES[1], BLOCKS[1])
    assert store.commit("Full", MANIFEST, NAMES[:2])
    assert store.statistics() == (2, 4096 + len(MANIFEST), 1)
    store.close()


def test_a_directory_that_cannot_be_synced_acknowledges_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name may be there, but nobody is told that it will stay; the next put tries again."""
    store = Store(tmp_path, 0)
    failing = True

    def fails(name: str, arguments: tuple[Any, ...], through: Callable[..., Any]) -> Any:
        if (
            failing
            and name == "open"
            and arguments[1] & os.O_DIRECTORY
            and "blocks" in arguments[0]
        ):
            raise OSError(errno.EIO, "Input/output error", arguments[0])
        return through(*arguments)

    step_in(fails, monkeypatch.setattr)
    for _ in range(2):
        with pytest.raises(OSError, match="blocks"):
            store.put(NAMES[1], BLOCKS[1])
        with pytest.raises(OSError, match="blocks"):
            store.commit("Full", MANIFEST, NAMES[1:2])
    assert store.snapshot("Full") is None
    failing = False
    assert not store.put(NAMES[1], BLOCKS[1])
    assert store.statistics() == (1, 4096, 0)
    store.close()
