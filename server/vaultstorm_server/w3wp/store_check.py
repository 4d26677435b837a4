"""What stands in a store's directory, read without the server: for the lab's own check."""

import hashlib
import os
from typing import Final

from vaultstorm_server.w3wp import store

_FOLDERS: Final = {"block": store.BLOCKS, "snapshot": store.SNAPSHOTS}


def sha256_of(directory: str | os.PathLike[str], kind: str, name: str) -> str | None:
    """Hash what a store keeps under a name.

    Args:
        directory: of the store.
        kind: ``block`` or ``snapshot``, as in a journal's `Acknowledged` record.
        name: of the block or the snapshot.

    Returns:
        The SHA-256; None if nothing is there; empty if what is there is not a file.

    Raises:
        KeyError: there is no such kind.
        ValueError: the name would lead out of the directory.
        OSError: it cannot be read.
    """
    path = store.path_of(os.path.join(directory, _FOLDERS[kind]), name)
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        return ""
