"""The least that a burst can be: ``-m bench.bare_loop PORT CLIENTS``.

All sockets are made first, then one loop of non-blocking connects. Prints the seconds between the
first and the last call, and ends with its standard input.
"""

import socket
import sys
import time


def main(port: int, clients: int) -> None:
    """Connect, say how long it took, and hold the connections."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(clients)]
    for made in sockets:
        made.setblocking(False)
    address = ("127.0.0.1", port)
    first = last = time.perf_counter()
    for made in sockets:
        last = time.perf_counter()
        made.connect_ex(address)
    print(last - first, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
