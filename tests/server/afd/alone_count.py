"""What counts as a refused SYN where nobody else is: started by test_refusals.py."""

import json
import socket
import struct
import sys

from tests.server.afd.alone import loopback_up
from vaultstorm_server.afd.bind import bind
from vaultstorm_server.afd.refusals import Refusals


class Counted:
    """A listener, the count, and what each step has added to it."""

    def __init__(self) -> None:
        self.listener = bind("127.0.0.1", 0)
        self._count = Refusals()
        self._last = self._read()
        self.steps: dict[str, int] = {}

    def _read(self) -> int:
        count = self._count()
        assert count is not None
        return count

    def step(self, name: str) -> None:
        """Say what has been added since the last one."""
        count = self._read()
        self.steps[name] = count - self._last
        self._last = count

    def connect(self) -> socket.socket:
        """Connect to the listener."""
        return socket.create_connection(self.listener.getsockname())

    def refused(self, times: int) -> None:
        """Be refused."""
        for _ in range(times):
            try:
                self.connect()
            except ConnectionRefusedError:
                continue
            raise AssertionError("connected")


def main() -> None:
    """Do one thing after the other."""
    loopback_up()
    counted = Counted()
    counted.step("nothing")
    counted.refused(1)
    counted.step("one refused")
    counted.refused(7)
    counted.step("seven refused")
    counted.listener.listen(100)
    for name, linger, data in (
        ("three reset by SO_LINGER", True, b""),
        ("three closed with unread data", False, b"unread"),
        ("three closed in good order", False, b""),
    ):
        for _ in range(3):
            client = counted.connect()
            sock, _ = counted.listener.accept()
            client.sendall(data)
            if linger:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
            client.close()
        counted.step(name)
    clients = [counted.connect() for _ in range(4)]
    counted.listener.shutdown(socket.SHUT_RD)
    counted.step("four in the queue at shutdown")
    for client in clients:
        client.close()
    counted.listener.close()
    sys.stdout.write(json.dumps(counted.steps))


if __name__ == "__main__":
    main()
