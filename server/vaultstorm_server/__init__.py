"""The server: AFD.SYS, HTTP.SYS, W3SVC and w3wp.exe on real sockets and real processes."""

from vaultstorm_server.lean import without

with without("typing_extensions"):  # half of msgspec's import, for what Python 3.11 has itself
    import msgspec  # noqa: F401 - for the modules in here, which find it imported
