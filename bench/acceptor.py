"""A listener that accepts everything at once and does nothing with it: ``-m bench.acceptor``.

It prints its port, keeps what it accepted open, and ends with its standard input. With ``answer``
as its argument it answers the first connection before it goes on, and ends that one.
"""

import contextlib
import select
import socket
import struct
import sys

ANSWER = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"


def main(answers: bool) -> None:
    """Accept until standard input ends."""
    kept: list[socket.socket] = []
    with socket.socket() as listener:
        # RST at its end: ports in TIME-WAIT would make the kernel search for a free one in the next
        # burst, up to a quarter of a millisecond for each connect. What it accepts inherits this.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        listener.bind(("127.0.0.1", 0))
        listener.listen(65535)  # the kernel makes it somaxconn
        print(listener.getsockname()[1], flush=True)
        if answers:
            answer_first(listener)
        listener.setblocking(False)
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        poll.register(sys.stdin, select.POLLIN)
        while not any(descriptor == sys.stdin.fileno() for descriptor, _ in poll.poll()):
            with contextlib.suppress(BlockingIOError):
                while True:
                    kept.append(listener.accept()[0])


def answer_first(listener: socket.socket) -> None:
    """Serve one HTTP request, whatever it asks for."""
    connection, _peer = listener.accept()
    with connection:
        received = b""
        while b"\r\n\r\n" not in received and (data := connection.recv(4096)):
            received += data
        connection.sendall(ANSWER)


if __name__ == "__main__":
    main("answer" in sys.argv[1:])
