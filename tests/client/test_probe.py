"""A probe against small real servers, each broken in one layer."""

import contextlib
import resource
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from vaultstorm_client.layers import Report
from vaultstorm_client.probe import Options, probe
from vaultstorm_wire.errors import UsageError

Handle = Callable[[socket.socket], None]

ANSWER = b"HTTP/1.1 200 OK\r\nServer: Microsoft-IIS/6.0\r\nContent-Length: 2\r\n\r\nok"
IMPATIENT = Options(timeout=0.2)
"""For servers that never answer; where one does, the default gives it all the time it needs."""


class Server:
    """Accepts one connection in a thread and hands it to `handle`; ends with its `with` block."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run)
        self.port = self._listener.getsockname()[1]

    def _run(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # the test made no connection
            return
        with connection:
            self._handle(connection)

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()


def reset(connection: socket.socket) -> None:
    """Send a RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def silence(connection: socket.socket) -> None:
    """Take what comes and say nothing, until the client has had enough."""
    with contextlib.suppress(OSError):
        while connection.recv(65536):
            pass


def listen_then(end: Handle) -> Handle:
    """Read what the client says first, all of it, so that closing sends a FIN and no RST."""

    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        end(connection)

    return handle


def say(answer: bytes, end: Handle = silence) -> Handle:
    """Answer the request, then go on with `end`."""

    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)
        end(connection)

    return handle


def close(connection: socket.socket) -> None:
    """Send a FIN."""
    connection.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Make an authority that nobody trusts but who is told to."""
    return trustme.CA()


@pytest.fixture(scope="module")
def ca(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the authority's certificate to a file."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def tls(certificate: trustme.LeafCert, then: Handle, **attributes: object) -> Handle:
    """Serve TLS with `certificate`, then go on with `then` inside it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    for name, value in attributes.items():
        setattr(context, name, value)

    def handle(connection: socket.socket) -> None:
        try:
            inside = context.wrap_socket(connection, server_side=True)
        except OSError:  # the client would not have it
            return
        with inside, contextlib.suppress(ssl.SSLError):
            then(inside)

    return handle


@pytest.fixture
def free_port() -> Iterator[int]:
    """Give a port that nobody listens on and nobody else is given meanwhile."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def run(scheme: str, handle: Handle, options: Options = Options()) -> Report:  # noqa: B008 - frozen
    """Probe a server that does `handle`."""
    with Server(handle) as server:
        return probe(f"{scheme}://127.0.0.1:{server.port}", options)


def outcomes(report: Report) -> dict[str, str]:
    """Give the outcome of each layer."""
    return {layer.layer: layer.outcome for layer in report.layers}


def test_closed_port(free_port: int) -> None:
    """Nobody listening is a refused connect, and no further layer is tried."""
    report = probe(f"https://127.0.0.1:{free_port}", Options())
    assert outcomes(report) == {"resolve": "ok", "tcp": "connect.refused"}
    assert not report.ok
    assert report.layers[-1].seen["error"] == "ECONNREFUSED"
    assert "RST answered the SYN" in report.layers[-1].means


@pytest.mark.parametrize(
    "scheme, layer, expected",
    [
        ("tcp", "tcp", {"connect.reset"}),
        ("https", "tls", {"tls.reset"}),
        ("http", "http", {"send.reset", "wait.reset"}),  # whether the RST or the request is first
    ],
)
def test_handshake_then_reset(scheme: str, layer: str, expected: set[str]) -> None:
    """A RST after the handshake shows in the first layer that meets it, as an overrun queue."""
    report = run(scheme, reset, Options(hold=10.0))
    assert outcomes(report)[layer] in expected
    assert "accept queue" in report.layers[-1].means


@pytest.mark.parametrize("scheme, layer", [("tcp", "connect"), ("https", "tls"), ("http", "wait")])
def test_fin_is_not_a_reset(scheme: str, layer: str) -> None:
    """A FIN before the answer is `closed`, whichever layer waits for it."""
    handle = close if scheme == "tcp" else listen_then(close)
    report = run(scheme, handle, Options(hold=10.0))
    assert report.layers[-1].outcome == f"{layer}.closed"


def test_accepted_and_silent() -> None:
    """A port that is open where TLS never answers is named as such; plain TCP finds no fault."""
    report = run("https", silence, IMPATIENT)
    assert outcomes(report) == {"resolve": "ok", "tcp": "ok", "tls": "tls.timeout"}
    assert "TLS never answers" in report.layers[-1].means
    assert run("tcp", silence, Options(hold=0.0)).ok
    assert run("tcp", silence, Options(hold=0.05)).ok


def test_the_hang(authority: trustme.CA, ca: Path) -> None:
    """TLS done and the request never answered is the hang of TECH39579, with the ways out."""
    handle = tls(authority.issue_cert("127.0.0.1"), silence)
    report = run("https", handle, Options(timeout=2.0, ca=ca))
    assert outcomes(report) == {"resolve": "ok", "tcp": "ok", "tls": "ok", "http": "wait.timeout"}
    means = report.layers[-1].means
    assert means.startswith(
        "TCP and TLS connect, the request was sent, nothing came back: the pool"
    )
    assert all(word in means for word in ("hangs", "TECH39579", "iisreset", "hotfix 12"))


def test_the_hang_without_tls() -> None:
    """Over http:// nothing is said of TLS."""
    report = run("http", silence, IMPATIENT)
    assert outcomes(report) == {"resolve": "ok", "tcp": "ok", "http": "wait.timeout"}
    means = report.layers[-1].means
    assert means.startswith("TCP connects, the request was sent, nothing came back: the pool hangs")
    assert "TLS" not in means


def test_plain_http_is_asked_for_tls() -> None:
    """A server that answers TLS with HTTP is malformed, and http:// is advised."""
    report = run("https", say(b"HTTP/1.1 400 Bad Request\r\n\r\n", close))
    assert report.layers[-1].outcome == "tls.malformed"
    assert "http://" in report.layers[-1].means


def test_good(authority: trustme.CA, ca: Path) -> None:
    """A server without fault: every layer ok, and what each has seen."""
    handle = tls(authority.issue_cert("127.0.0.1", common_name="vault"), say(ANSWER))
    report = run("https", handle, Options(ca=ca))
    assert report.ok
    assert [layer.outcome for layer in report.layers] == ["ok"] * 4
    resolved, tcp, secured, http = (layer.seen for layer in report.layers)
    assert resolved["address"].startswith("127.0.0.1:")
    assert tcp["local"].startswith("127.0.0.1:")
    assert secured["version"] in ("TLSv1.2", "TLSv1.3")
    assert "CN=vault" in secured["subject"]
    assert secured["names"] == "127.0.0.1"
    assert "days" in secured["expiry"]
    assert secured["trust"] == "trusted"
    assert http["status"] == "HTTP/1.1 200 OK"
    assert http["server"] == "Microsoft-IIS/6.0"
    assert http["request id"].startswith("probe-")
    assert report.layers[-1].means == ""


def test_untrusted(authority: trustme.CA) -> None:
    """A certificate of an unknown authority is rejected, with both ways out named."""
    report = run("https", tls(authority.issue_cert("127.0.0.1"), silence))
    assert report.layers[-1].outcome == "tls.rejected"
    assert "--ca" in report.layers[-1].means
    assert "--insecure" in report.layers[-1].means
    assert "certificate" in report.layers[-1].seen["error"]


def test_insecure(authority: trustme.CA) -> None:
    """Without the check the same certificate is taken and shown."""
    handle = tls(authority.issue_cert("127.0.0.1"), say(ANSWER))
    report = run("https", handle, Options(insecure=True))
    assert report.ok
    assert report.layers[2].seen["trust"].startswith("not checked")
    assert "trustme" in report.layers[2].seen["issuer"]


def test_certificate_of_another_host(authority: trustme.CA, ca: Path) -> None:
    """A trusted certificate with another name is rejected for that."""
    report = run("https", tls(authority.issue_cert("other.test"), silence), Options(ca=ca))
    assert report.layers[-1].outcome == "tls.rejected"
    assert "mismatch" in report.layers[-1].seen["error"]


def test_expired_certificate(authority: trustme.CA, ca: Path) -> None:
    """An expired certificate is rejected as such; without the check its expiry is shown."""
    old = authority.issue_cert("127.0.0.1", not_after=datetime(2005, 12, 31, tzinfo=UTC))
    report = run("https", tls(old, silence), Options(ca=ca))
    assert "expired" in report.layers[-1].seen["error"]
    seen = run("https", tls(old, say(ANSWER)), Options(insecure=True)).layers[2].seen
    assert seen["expiry"] == "2005-12-31: expired"


def test_alert_in_the_handshake(authority: trustme.CA, ca: Path) -> None:
    """A server that wants a certificate of the client has rejected it."""
    handle = tls(
        authority.issue_cert("127.0.0.1"),
        silence,
        maximum_version=ssl.TLSVersion.TLSv1_2,
        verify_mode=ssl.CERT_REQUIRED,
    )
    report = run("https", handle, Options(ca=ca))
    assert report.layers[-1].outcome == "tls.rejected"
    assert "alert" in report.layers[-1].seen["error"]
    assert "--insecure" not in report.layers[-1].means


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"


@pytest.mark.parametrize(
    "handle, expected",
    [
        (say(HEAD + b"half", close), "receive.closed"),
        (say(HEAD[:20], close), "receive.closed"),
        (say(b"SSH-2.0-OpenSSH_9.2\r\n", silence), "receive.malformed"),
        (say(b"HTTP/1.1 2000 OK\r\n\r\n", silence), "receive.malformed"),
    ],
)
def test_answer_that_breaks_off(handle: Handle, expected: str) -> None:
    """What goes wrong after the first byte of the answer is `receive`."""
    assert run("http", handle).layers[-1].outcome == expected


def test_answer_that_stalls() -> None:
    """An answer that begins and stops is a timeout while receiving, with the bytes so far."""
    layer = run("http", say(HEAD + b"half"), Options(timeout=2.0)).layers[-1]
    assert layer.outcome == "receive.timeout"
    assert f"after {len(HEAD) + 4} bytes" in layer.seen["error"]


@pytest.mark.parametrize("status, fine", [(200, True), (404, True), (499, True), (503, False)])
def test_status(status: int, fine: bool) -> None:
    """A server error fails the layer under its own name; any other answer shows that HTTP works."""
    report = run("http", say(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status))
    assert report.ok is fine
    assert report.layers[-1].outcome == ("ok" if fine else f"http.{status}")
    assert report.layers[-1].seen["status"] == f"HTTP/1.1 {status} X"


def test_interim_answers_are_passed_over() -> None:
    """The status of the final answer is the one that is shown."""
    layer = run("http", say(b"HTTP/1.1 100 Continue\r\n\r\n" + ANSWER)).layers[-1]
    assert layer.seen["status"] == "HTTP/1.1 200 OK"


def test_answer_without_end() -> None:
    """An endless answer is enough once a mebibyte has flowed."""

    def pour(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(bytes(65536))

    report = run("http", pour)
    assert report.ok
    assert int(report.layers[-1].seen["bytes"]) >= 1 << 20


def test_greeting() -> None:
    """A server that speaks first is heard by tcp://, made harmless for the terminal."""

    def greet(connection: socket.socket) -> None:
        connection.sendall(b"220 \x1b[31mmail\r\n")
        silence(connection)

    seen = run("tcp", greet, Options(hold=10.0)).layers[-1].seen
    assert seen["greeting"] == repr("220 \x1b[31mmail\r\n")


def test_path() -> None:
    """What is asked for is the option, else the path of the URL, else the root."""
    asked = []

    def note(connection: socket.socket) -> None:
        asked.append(connection.recv(65536).split(b" ")[1])
        connection.sendall(ANSWER)
        silence(connection)

    for path, option in (("", None), ("/a?b=c", None), ("?b=c", None), ("/a", "/other")):
        with Server(note) as server:
            probe(f"http://127.0.0.1:{server.port}{path}", Options(path=option))
    assert asked == [b"/", b"/a?b=c", b"/?b=c", b"/other"]


@pytest.mark.parametrize("path", ["x", "", "/a b", "/a\r\nX: y", "/\u00e9"])
def test_path_that_is_none(path: str) -> None:
    """A path that would not survive the request line is refused before anything is sent."""
    with pytest.raises(UsageError, match="is not a path"):
        probe("http://127.0.0.1:9", Options(path=path))


def test_name_that_does_not_resolve() -> None:
    """A name without an address fails the layer `resolve`; nothing else is tried."""
    report = probe(f"http://{'x' * 64}/", Options())  # no label is longer than 63 (RFC 1035)
    assert outcomes(report) == {"resolve": "resolve.failed"}
    assert "nothing was sent" in report.layers[0].means


def test_remote_target() -> None:
    """A public address is refused as wrong usage."""
    with pytest.raises(UsageError, match="--allow-remote"):
        probe("http://192.0.43.8/", Options())


def test_ca_file_that_is_none(tmp_path: Path) -> None:
    """A file without certificates is wrong usage."""
    nothing = tmp_path / "ca.pem"
    nothing.write_text("nothing")
    with pytest.raises(UsageError, match="cannot read authorities from"):
        probe("https://127.0.0.1:9", Options(ca=nothing))


def test_full_kernel_queue() -> None:
    """A SYN that the kernel drops since the accept queue is full is a connect timeout."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        stack.enter_context(socket.create_connection(listener.getsockname()))
        report = probe(f"tcp://127.0.0.1:{listener.getsockname()[1]}", IMPATIENT)
    assert report.layers[-1].outcome == "connect.timeout"
    assert "SYN was never answered" in report.layers[-1].means


def test_out_of_descriptors() -> None:
    """A client without a descriptor left is not the server's fault."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        report = probe("tcp://127.0.0.1:9", Options())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert report.layers[-1].outcome == "connect.local"
    assert report.layers[-1].seen["error"] == "EMFILE"
    assert "this machine" in report.layers[-1].means
