"""A real nginx, with a configuration made for the run, in a folder of its own."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from bench.certificate import Certificate
from bench.children import BenchError, Child, free_port, wait_until_it_listens
from bench.peers import program
from bench.procfs import descendants
from bench.servers import answer_of

_OTHERS: Final = 16
"""Descriptors that an nginx worker has for itself, and connections it counts that are none."""

# Tickets and the session cache are off: wrk would resume its sessions and the others would not, and
# a resumed handshake costs a fraction of a whole one.
_CONFIGURATION = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    keepalive_timeout 600s;
    keepalive_requests 1000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl backlog=4096;
        ssl_certificate {chain};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.3;
        ssl_session_cache off;
        ssl_session_tickets off;
        location / {{ default_type text/plain; return 200 "vaultstorm bench\\n"; }}
    }}
}}
"""


class Nginx(NamedTuple):
    """A running one."""

    port: int
    pids: list[int]
    """Its master and its worker."""


@contextlib.contextmanager
def serve(
    folder: Path,
    certificate: Certificate,
    *,
    cpus: Iterable[int] | None = None,
    connections: int = 12000,
) -> Iterator[Nginx]:
    """Run nginx with one worker that answers every GET with 200.

    Args:
        folder: for its files.
        certificate: to show.
        cpus: the processors it may run on; None for all.
        connections: how many it has to keep open; it ends none of so many, however idle.

    Raises:
        BenchError: it is not installed, or does not start.
    """
    home = folder / "nginx"
    home.mkdir(exist_ok=True)
    port = free_port()
    configuration = home / "nginx.conf"
    enough = slots(connections)
    configuration.write_text(
        _CONFIGURATION.format(
            folder=home,
            port=port,
            chain=certificate.chain,
            key=certificate.key,
            connections=enough,
            descriptors=enough + _OTHERS,
        )
    )
    binary = program("nginx")
    if binary is None:
        raise BenchError("nginx is not installed")
    argv = [binary, "-p", str(home), "-c", str(configuration), "-e", "stderr"]
    with Child(argv, cpus=cpus) as child:
        wait_until_it_listens(port, child)
        answer_of(port)  # the master listens before its worker is there to answer
        yield Nginx(port, [child.pid, *descendants(child.pid)])


def slots(connections: int) -> int:
    """Give the worker_connections that keep so many open.

    Where no more than a sixteenth of them is free, nginx ends those that are idle, the oldest
    first, up to 32 for each that comes (ngx_drain_connections() in ngx_connection.c).
    """
    return -(-(connections + _OTHERS) * 16 // 15)
