"""One connection, layer by layer: resolve, TCP, then TLS and HTTP, or an RPC bind and its calls.

Blocking, so that nothing else runs.
"""

import secrets
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vaultstorm_client import observe, target
from vaultstorm_client.failure import Failed, failed
from vaultstorm_client.layers import (
    ALIVE,
    BIND,
    HTTP,
    LAYERS,
    LOOKUP,
    RESOLVE,
    TCP,
    TLS,
    Layer,
    Report,
)
from vaultstorm_client.meaning import UNRESOLVED, meaning
from vaultstorm_client.response import Malformed, Response
from vaultstorm_client.rpc.meaning import meaning as rpc_meaning
from vaultstorm_client.rpc.probe import Talk
from vaultstorm_wire.errors import MachineError, UsageError
from vaultstorm_wire.outcome import (
    OK,
    Ending,
    Phase,
    answered_http,
    hresult_of,
    lost,
    message_of,
)

_ENOUGH: Final = 1 << 20  # of a body: that the answer flows has been shown by then


@dataclass(frozen=True)
class Options:
    """How a probe is made.

    Attributes:
        timeout: seconds that each layer may take.
        hold: seconds that a ``tcp://`` probe watches the connection for a RST or a FIN.
        path: what to ask for; None for what the URL says.
        ca: a PEM file of authorities to trust; None for those of the system.
        insecure: take any certificate.
    """

    timeout: float = 10.0
    hold: float = 0.25
    path: str | None = None
    ca: Path | None = None
    insecure: bool = False


def probe(url: str, options: Options, allow_remote: bool = False) -> Report:
    """Make one connection to `url` and say of each layer what it did.

    Raises:
        UsageError: the URL, or the file of authorities, is wrong.
    """
    _check_path(options.path)
    begun = time.monotonic()
    try:
        aim = target.parse(url, allow_remote)
        if aim.scheme == "rpc" and options.path is not None:
            raise UsageError(f"--path {options.path}: an rpc:// target has none")
    except MachineError as error:
        took = time.monotonic() - begun
        said = {"error": str(error)}
        return Report(url, (Layer(RESOLVE, UNRESOLVED, took, said, meaning(UNRESOLVED)),))
    seen = {"address": str(aim.address)}
    if len(aim.addresses) > 1:
        seen["not tried"] = ", ".join(str(address) for address in aim.addresses[1:])
    resolved = Layer(RESOLVE, OK, time.monotonic() - begun, seen)
    run = _Run(aim, options, _context(options) if TLS in LAYERS[aim.scheme] else None)
    return Report(str(aim), (resolved, *run.layers()))


def _context(options: Options) -> ssl.SSLContext:
    """Get ready for TLS, which takes a while that is no layer's."""
    from vaultstorm_client import certificate  # noqa: F401 - loads a library that only TLS needs

    try:
        context = ssl.create_default_context(cafile=options.ca)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"cannot read authorities from {options.ca}: {error.strerror}") from error
    if options.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _check_path(path: str | None) -> None:
    if path is None:
        return
    if not (path.startswith("/") and path.isascii() and path.isprintable()) or " " in path:
        raise UsageError(f"{path!r} is not a path: begin with /, and write spaces as %20")


class _Run:
    """The connection of one probe, as far as it has come."""

    def __init__(
        self, aim: target.Target, options: Options, context: ssl.SSLContext | None
    ) -> None:
        self._aim = aim
        self._options = options
        self._context = context
        self._deadline = 0.0
        self._seen: dict[str, str] = {}
        self._socket: socket.socket | None = None
        self._met: OSError | None = None  # by connect(), and belongs to the next layer
        self._talk = Talk(self._armed)

    def layers(self) -> list[Layer]:
        """Go through the layers of the scheme up to the first that fails."""
        talk = self._talk
        steps: dict[str, Callable[[], None]] = {
            TCP: self._tcp,
            TLS: self._tls,
            HTTP: self._http,
            BIND: lambda: self._seen.update(talk.bind()),
            ALIVE: lambda: self._seen.update(talk.alive()),
            LOOKUP: lambda: self._seen.update(talk.lookup()),
        }
        done: list[Layer] = []
        try:
            for name in LAYERS[self._aim.scheme]:
                done.append(self._layer(name, steps[name]))
                if not done[-1].ok:
                    break
        finally:
            if self._socket is not None:
                self._socket.close()
        return done

    def _layer(self, name: str, step: Callable[[], None]) -> Layer:
        self._seen = {}
        begun = time.monotonic()
        self._deadline = begun + self._options.timeout
        outcome, means = OK, ""
        try:
            step()
        except Failed as failure:
            outcome = failure.outcome
            means = failure.means or self._meaning(outcome)
            self._seen["error"] = failure.detail
            if self._aim.scheme == "rpc":
                hresult = hresult_of(outcome, failure.win32) or ""
                self._seen["Windows"] = f"{hresult} {message_of(hresult) or ''}".strip()
        return Layer(name, outcome, time.monotonic() - begun, self._seen, means)

    def _meaning(self, outcome: str) -> str:
        if self._aim.scheme == "rpc":
            return rpc_meaning(outcome)
        return meaning(outcome, through_tls=self._context is not None)

    def _tcp(self) -> None:
        try:
            self._socket = socket.socket(self._aim.address.family, socket.SOCK_STREAM)
            if self._context is not None:
                # Before connect(): wrap_socket() loses a socket that has been reset by then.
                self._socket = self._context.wrap_socket(
                    self._socket, server_hostname=self._aim.host, do_handshake_on_connect=False
                )
            self._armed().connect(self._aim.address.sockaddr)
            self._seen["local"] = target.endpoint(self._socket.getsockname())
        except OSError as error:
            if error.errno not in observe.AFTER_HANDSHAKE or self._aim.scheme == "tcp":
                raise failed(Phase.CONNECT, error) from error
            self._met = error
        if self._aim.scheme == "tcp":
            self._hold()

    def _hold(self) -> None:
        """Watch a connection that carries nothing: silence is what a healthy server gives it."""
        try:
            connection = self._armed()
            connection.settimeout(self._options.hold)
            first = connection.recv(64)
        except (TimeoutError, BlockingIOError):
            return
        except OSError as error:
            raise failed(Phase.CONNECT, error) from error
        if not first:
            raise Failed(lost(Phase.CONNECT, Ending.CLOSED), "FIN")
        self._seen["greeting"] = ascii(first.decode("latin-1"))

    def _tls(self) -> None:
        from vaultstorm_client import certificate

        wrapped = self._socket
        assert isinstance(wrapped, ssl.SSLSocket)
        try:
            self._armed()
            wrapped.do_handshake()
        except OSError as error:
            raise failed(Phase.TLS, error) from error
        self._seen["version"] = wrapped.version() or "?"
        cipher = wrapped.cipher()
        self._seen["cipher"] = cipher[0] if cipher else "?"
        der = wrapped.getpeercert(binary_form=True)
        self._seen |= certificate.read(der or b"").facts(time.time())
        self._seen["trust"] = "not checked (--insecure)" if self._options.insecure else "trusted"

    def _http(self) -> None:
        path = self._options.path or self._aim.path
        path = path if path.startswith("/") else f"/{path}"
        self._seen["request id"] = request_id = f"probe-{secrets.token_hex(8)}"
        host = self._aim.netloc.encode("idna").decode()
        request = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Request-Id: {request_id}\r\n"
            "User-Agent: vaultstorm-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        )
        try:
            self._armed().sendall(request.encode("ascii"))
        except OSError as error:
            raise failed(Phase.SEND, error) from error
        status = self._answer()
        if status >= 500:
            raise Failed(answered_http(status), self._seen["status"])

    def _answer(self) -> int:
        """Read the answer to its end, or until enough of it has come; give its status."""
        response, phase, head, received = Response(), Phase.WAIT, b"", 0
        try:
            while not response.complete and received < _ENOUGH:
                data = self._armed().recv(65536)
                if not data and not response.eof():
                    raise Failed(lost(phase, Ending.CLOSED), f"FIN after {received} bytes")
                phase, received = (Phase.RECEIVE if data else phase), received + len(data)
                head = head + data if response.status is None else head
                if data:
                    response.feed(data)
        except Malformed as error:
            raise Failed(lost(phase, Ending.MALFORMED), str(error)) from error
        except OSError as error:
            raise failed(phase, error, received) from error
        assert response.status is not None
        self._seen |= _head_facts(head)
        self._seen["bytes"] = str(received)
        return response.status

    def _armed(self) -> socket.socket:
        """Give the socket, and its next call what is left of the layer's time."""
        if self._met is not None:
            raise self._met
        assert self._socket is not None
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._socket


def _head_facts(data: bytes) -> dict[str, str]:
    """Pick what identifies the server out of the head of its final answer."""
    head = b""
    for head in data.split(b"\r\n\r\n"):
        if not head.startswith((b"HTTP/1.1 1", b"HTTP/1.0 1")):
            break
    status_line, *fields = head.decode("latin-1").split("\r\n")
    facts = {"status": ascii(status_line)[1:-1]}
    for field in fields:
        name, _, value = field.partition(":")
        if name.lower() == "server":
            facts["server"] = ascii(value.strip())[1:-1]
    return facts
