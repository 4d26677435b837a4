"""The price of TLS itself, no socket and no kernel: ``-m bench.handshake CHAIN KEY COUNT``.

It makes full TLS 1.3 handshakes in memory, and prints one line of JSON: the CPU microseconds of the
client's half of one and of the server's, the object that holds it included.
"""

import json
import ssl
import sys
import time

from bench.https import context


def main(chain: str, key: str, count: int) -> None:
    """Make them, and say what they took."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain, key)
    client = context()
    spent = [0, 0]
    for _ in range(count):
        for half, nanoseconds in enumerate(handshake(client, server)):
            spent[half] += nanoseconds
    mine, theirs = (nanoseconds / count / 1e3 for nanoseconds in spent)
    print(json.dumps({"client_us": mine, "server_us": theirs}))


def handshake(client: ssl.SSLContext, server: ssl.SSLContext) -> tuple[int, int]:
    """Make one, with one byte each way after it; give the nanoseconds of each half."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    spent = [0, 0]
    begun = time.thread_time_ns()
    mine = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    spent[0] += time.thread_time_ns() - begun
    begun = time.thread_time_ns()
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    spent[1] += time.thread_time_ns() - begun
    halves = [mine, theirs]
    unfinished = {0, 1}
    while unfinished:
        for half in sorted(unfinished):
            begun = time.thread_time_ns()
            try:
                halves[half].do_handshake()
                unfinished.discard(half)
            except ssl.SSLWantReadError:
                pass
            spent[half] += time.thread_time_ns() - begun
    return spent[0], spent[1]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
