"""Binds and calls over kept RPC connections: ``-m bench.rpc_load PORT CONNECTIONS``.

For each line ``SECONDS`` on its standard input it prints one line of JSON. On every connection one
exchange is under way: the interface is bound again (alter_context), and its method is called. All
connections call one object, which is activated at the beginning.
"""

import json
import os
import select
import socket
import sys
import time
from typing import Any, Final

from bench.children import many_descriptors
from vaultstorm_wire.dcerpc.connection import Connection, Role
from vaultstorm_wire.dcerpc.demonstration import (
    CLSID_DEMONSTRATION,
    IDEMONSTRATION,
    IID_DEMONSTRATION,
    WORK,
    WorkIn,
    WorkOut,
)
from vaultstorm_wire.dcerpc.events import NEED_DATA, Bind, BindAck, Context, Request, Response
from vaultstorm_wire.dcerpc.orpc import COMVERSION, OrpcThis
from vaultstorm_wire.dcerpc.scm_activator import (
    ISYSTEM_ACTIVATOR,
    REMOTE_CREATE_INSTANCE,
    RemoteCreateInstanceIn,
    RemoteCreateInstanceOut,
)
from vaultstorm_wire.dcerpc.syntax import NDR, Syntax

_RECEIVE: Final = 65536
_TIMEOUT: Final = 30.0


class Lane:
    """One connection: bound on return.

    Args:
        port: on 127.0.0.1.
        interface: to bind.

    Raises:
        OSError: there is no connection.
        ValueError: the interface is not to be had.
    """

    def __init__(self, port: int, interface: Syntax) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), _TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wire = Connection(Role.CLIENT)
        self._context = Context(0, interface, (NDR,))
        self._calls = 0
        self.bind(alter=False)
        answer = self.answer()
        while answer is None:
            answer = self.answer()
        if not isinstance(answer, BindAck) or answer.answers[0].result:
            raise ValueError(f"not bound: {answer}")

    def bind(self, alter: bool = True) -> None:
        """Ask for the interface."""
        self._calls += 1
        self._say(Bind(self._calls, (self._context,), alter=alter))

    def call(self, opnum: int, stub: bytes, ipid: bytes | None = None) -> None:
        """Call a method."""
        self._calls += 1
        self._say(Request(self._calls, 0, opnum, stub, ipid))

    def answer(self) -> Any:
        """Take what has come; None until the answer is whole."""
        data = self.socket.recv(_RECEIVE)
        self._wire.receive_data(data)
        event = self._wire.next_event()
        return None if event is NEED_DATA else event

    def _say(self, event: Bind | Request) -> None:
        self.socket.sendall(self._wire.send(event))


def activated(port: int) -> RemoteCreateInstanceOut:
    """Activate the demonstration object.

    Raises:
        ValueError: there is none.
    """
    lane = Lane(port, ISYSTEM_ACTIVATOR)
    with lane.socket:
        asked = RemoteCreateInstanceIn(
            OrpcThis(COMVERSION, 0, os.urandom(16)), CLSID_DEMONSTRATION, (IID_DEMONSTRATION,)
        )
        lane.call(REMOTE_CREATE_INSTANCE, asked.encode())
        answer = lane.answer()
        while answer is None:
            answer = lane.answer()
    if not isinstance(answer, Response):
        raise ValueError(f"not activated: {answer}")
    return RemoteCreateInstanceOut.decode(answer.stub)


class Load:
    """The connections to the exporter of one object."""

    def __init__(self, port: int, connections: int) -> None:
        made = activated(port)
        assert made.bindings is not None
        reference = made.results[0][1]
        assert reference is not None
        self._ipid = reference.std.ipid
        exporter = int(made.bindings.strings[0].address.partition("[")[2].rstrip("]"))
        lanes = [Lane(exporter, IDEMONSTRATION) for _ in range(connections)]
        self._lanes = {lane.socket.fileno(): lane for lane in lanes}
        self._stub = WorkIn(OrpcThis(COMVERSION, 0, os.urandom(16))).encode()
        self._poll = select.epoll()
        for descriptor in self._lanes:
            self._poll.register(descriptor, select.EPOLLIN)

    def go(self, seconds: float) -> dict[str, float]:
        """Keep every connection busy for some seconds; answers that come after them count not."""
        done = failed = 0
        cpu = time.process_time()
        start = time.perf_counter()
        end = start + seconds
        for lane in self._lanes.values():
            lane.bind()
        waiting = len(self._lanes)
        while waiting:
            for descriptor, _ in self._poll.poll():
                lane = self._lanes[descriptor]
                answer = lane.answer()
                if answer is None:
                    continue
                if isinstance(answer, BindAck):
                    lane.call(WORK, self._stub, self._ipid)
                    continue
                good = isinstance(answer, Response) and not WorkOut.decode(answer.stub).hresult
                if time.perf_counter() < end:
                    done += good
                    failed += not good
                    lane.bind()
                else:
                    waiting -= 1
        busy = (time.process_time() - cpu) / (time.perf_counter() - start)
        return {"done": done, "failed": failed, "load": busy}


def main(port: int, connections: int) -> None:
    """Do what is asked until standard input ends."""
    many_descriptors()
    load = Load(port, connections)
    for line in sys.stdin:
        print(json.dumps(load.go(float(line))), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
