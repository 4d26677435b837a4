"""The store: blocks named by their SHA-256, and snapshots, in files that outlive the process.

``DIR/blocks/SHA256`` holds a block, ``DIR/snapshots/NAME`` a manifest as it was sent; ``DIR/tmp``
what is not finished. A file gets its name in the first two only when its bytes are on the disk, and
nothing is acknowledged before the name is there too. So kill -9 at any moment leaves whole files
only, and all that was acknowledged. Several processes may use one directory.
"""

import contextlib
import errno
import hashlib
import os
import stat
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from vaultstorm_server.w3wp import durable, page_cache
from vaultstorm_server.w3wp.scratch import Scratch
from vaultstorm_server.w3wp.turns import Turns

BLOCKS: Final = "blocks"
SNAPSHOTS: Final = "snapshots"
TMP: Final = "tmp"
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class FullError(Exception):
    """The quota, the disk, or what the disk allows this user is used up; nothing was kept.

    Its text says which, and what to do about it.
    """


class DamagedError(Exception):
    """What stands on the disk is not what was put there."""


class ConflictError(Exception):
    """Another snapshot has this name."""


class MissingBlocks(Exception):
    """A manifest names blocks that are not kept.

    Attributes:
        names: which, in the manifest's order, each once.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        super().__init__(f"{len(self.names)} blocks are not kept")


class StoreStatistics(NamedTuple):
    """What is kept: what stood there when it was first asked for, and what this process added."""

    blocks: int
    bytes: int
    """Of the blocks, and of the manifests of the snapshots."""
    snapshots: int


class Store:
    """Blocks and snapshots in a directory. Thread-safe.

    The quota is on the bytes of blocks and manifests, and what stands there is counted once, when
    it is first needed; from then on each process counts what it adds itself. So several processes
    can go beyond the quota by what the others have put since each of them counted.

    Args:
        directory: made if it is not there.
        quota: bytes of blocks and manifests that are kept; 0 for any.

    Raises:
        OSError: the directory cannot be used; `filename` says which.
    """

    def __init__(self, directory: str | os.PathLike[str], quota: int) -> None:
        root = os.path.abspath(directory)
        self._blocks, self._snapshots, tmp = (
            os.path.join(root, name) for name in (BLOCKS, SNAPSHOTS, TMP)
        )
        for path in (self._blocks, self._snapshots, tmp):
            durable.make_directory(path)
        durable.sync_directory(root)  # another process may have made them, and be slower
        self._quota = quota
        self._scratch = Scratch(tmp)
        self._scratch.sweep()
        self._turns = Turns()
        self._lock = threading.Lock()
        self._kept: StoreStatistics | None = None

    def put(self, digest: str, data: bytes) -> bool:
        """Keep a block; on return it is on the disk. One that has been damaged is repaired.

        A repair takes no new room: the quota does not stand in its way.

        Args:
            digest: the SHA-256 of `data`, which the caller has checked, in lower case.
            data: the block.

        Returns:
            True if it is new, False if one of that name was there.

        Raises:
            FullError: there is no room for it.
            OSError: it cannot be written.
        """
        path = path_of(self._blocks, digest)
        with self._turns.of(digest):
            there = _read(path)
            if there != data:
                self._add_block(path, data, there)
            durable.sync_directory(self._blocks)  # also for a name that another process has made
        return there is None

    def get(self, digest: str) -> bytes | None:
        """Give a block; None if it is not there.

        Raises:
            DamagedError: it is not what was put.
            OSError: it cannot be read.
        """
        try:
            data = _read(path_of(self._blocks, digest))
        except IsADirectoryError as error:
            raise DamagedError(f"block {digest} is a directory") from error
        return None if data is None else _intact(digest, data)

    def cached(self, digest: str) -> bytes | None:
        """Give a block if that needs no wait for the disk; None if `get` is to be asked.

        Raises:
            DamagedError: it is not what was put.
        """
        data = page_cache.read(path_of(self._blocks, digest))
        return None if data is None else _intact(digest, data)

    def commit(self, name: str, manifest: bytes, blocks: Sequence[str]) -> bool:
        """Keep a snapshot; on return it and the names of its blocks are on the disk.

        Args:
            name: of the snapshot.
            manifest: what `snapshot` will give.
            blocks: the digests of the blocks it names.

        Returns:
            True if it is new, False if the same is there.

        Raises:
            MissingBlocks: not all blocks are kept.
            ConflictError: the name has other bytes.
            FullError: there is no room for it.
            OSError: it cannot be written.
        """
        path = path_of(self._snapshots, name)
        missing = [
            digest
            for digest in dict.fromkeys(blocks)
            if not _is_file(path_of(self._blocks, digest))
        ]
        if missing:
            raise MissingBlocks(missing)
        durable.sync_directory(self._blocks)
        with self._turns.of(path):  # or the same one, at the same time, would be counted twice
            there = _read(path)
            if there is None:
                there = self._add_snapshot(path, manifest)
            if there is not None and there != manifest:
                raise ConflictError(f"another snapshot {name} is kept")
            durable.sync_directory(self._snapshots)
        return there is None

    def snapshot(self, name: str) -> bytes | None:
        """Give the manifest of a snapshot; None if it is not there.

        Raises:
            OSError: it cannot be read.
        """
        return _read(path_of(self._snapshots, name))

    def statistics(self) -> StoreStatistics:
        """Tell what is kept."""
        return self._count(0, 0, 0)

    def close(self) -> None:
        """Leave nothing of this process in tmp. Not while a method runs; not needed after a crash.

        A store that is closed may be used again.
        """
        self._scratch.close()

    def _add_block(self, path: str, data: bytes, there: bytes | None) -> None:
        blocks, added = (1, len(data)) if there is None else (0, len(data) - len(there))
        with self._counted(blocks, added, 0):
            self._file(data, lambda temporary: os.rename(temporary, path))

    def _add_snapshot(self, path: str, manifest: bytes) -> bytes | None:
        """Keep a manifest under a name that is free; give what has the name if it is not."""

        def link(temporary: str) -> None:
            os.link(temporary, path)  # rename would replace what another process has just put
            _discard(temporary)

        try:
            with self._counted(0, len(manifest), 1):
                self._file(manifest, link)
        except FileExistsError:
            return _read(path)
        return None

    def _file(self, data: bytes, move: Callable[[str], None]) -> None:
        """Write a temporary file, and `move` it to its place; if that cannot be, remove it."""
        temporary = ""
        try:
            temporary = self._scratch.name()
            durable.write(temporary, data)
            move(temporary)
        except OSError as error:
            _discard(temporary)
            if error.errno in _FULL:
                raise FullError(
                    f"no room for {len(data)} bytes: {error.strerror}: "
                    "make room on the disk of vault.Directory"
                ) from error
            raise

    @contextlib.contextmanager
    def _counted(self, blocks: int, size: int, snapshots: int) -> Iterator[None]:
        """Add to what is kept before the block writes it, and take it back if that fails.

        Afterwards would be too late: many at once would pass the quota, and a census would count
        what stands there already a second time.
        """
        self._count(blocks, size, snapshots)
        try:
            yield
        except BaseException:
            self._count(-blocks, -size, -snapshots)
            raise

    def _count(self, blocks: int, size: int, snapshots: int) -> StoreStatistics:
        """Add to what is kept; the first time, count what stands there.

        Raises:
            FullError: something new would be more than the quota.
        """
        with self._lock:
            if self._kept is None:
                self._kept = _census(self._blocks, self._snapshots)
            kept = self._kept
            total = kept.bytes + size
            new = blocks > 0 or snapshots > 0
            if new and size > 0 and 0 < self._quota < total:
                raise FullError(
                    f"{total} bytes would be more than the quota of {self._quota}: "
                    "raise vault.Quota"
                )
            self._kept = StoreStatistics(kept.blocks + blocks, total, kept.snapshots + snapshots)
            return self._kept


def path_of(directory: str, name: str) -> str:
    """Give the path of a name; one that would lead elsewhere is a bug of the caller.

    Raises:
        ValueError: it is not the name of a file in the directory.
    """
    if not name or name.startswith(".") or "/" in name or "\0" in name:
        raise ValueError(f"{name!r} is not the name of a block or a snapshot")
    return f"{directory}/{name}"


def _is_file(path: str) -> bool:
    """Tell whether a file is there; os.path.isfile would deny what cannot be looked at."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return False


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.readall()
    except FileNotFoundError:
        return None


def _intact(digest: str, data: bytes) -> bytes:
    if hashlib.sha256(data).hexdigest() != digest:
        raise DamagedError(f"block {digest} has other bytes ({len(data)}) than were put")
    return data


def _discard(path: str) -> None:
    with contextlib.suppress(OSError):  # it was not made, or stays until it is swept
        os.unlink(path)


def _census(blocks: str, snapshots: str) -> StoreStatistics:
    of_blocks, of_manifests = _sizes(blocks), _sizes(snapshots)
    size = sum(of_blocks) + sum(of_manifests)
    return StoreStatistics(len(of_blocks), size, len(of_manifests))


def _sizes(directory: str) -> list[int]:
    with os.scandir(directory) as entries:
        return [entry.stat(follow_symlinks=False).st_size for entry in entries if entry.is_file()]
