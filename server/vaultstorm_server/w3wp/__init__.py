"""The worker process: the vault ISAPI, its interface table and its block store."""

from vaultstorm_server.lean import without

with without("typing_extensions"):  # a quarter of a worker's start, which is part of every recycle
    import msgspec  # noqa: F401 - for the modules in here, which find it imported
