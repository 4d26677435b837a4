"""Reading what is in memory already: a file of which the disk need not be asked."""

import os


def read(path: str) -> bytes | None:
    """Read a file without a wait for the disk; None where that cannot be.

    It may not be in the page cache, not be there at all, or lie on a file system that does not know
    RWF_NOWAIT of preadv2(2), as tmpfs. Its inode may have to be fetched all the same.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        data = bytearray(os.fstat(descriptor).st_size)
        whole = os.preadv(descriptor, (data,), 0, os.RWF_NOWAIT) == len(data)
    except OSError:  # EAGAIN, EOPNOTSUPP, or EISDIR
        return None
    finally:
        os.close(descriptor)
    return bytes(data) if whole else None
