"""The bytes of one connection, plain or through TLS, without ever blocking.

TLS runs on memory buffers: the socket stays ours, so that what the kernel says (a RST, a FIN, which
errno) arrives untranslated, and OpenSSL's two reads for every record become one.
"""

import contextlib
import socket
import ssl
from typing import Final

RECEIVE_MAX: Final = 65536


class PlainStream:
    """Bytes as they are."""

    __slots__ = ("sock",)

    buffered = False
    """Something has been taken from the socket that `receive` has not given yet."""
    truncated = False
    """The end came without the peer's word that it is the end: TCP's FIN is that word."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def send(self, data: bytes | memoryview) -> int:
        """Hand over some bytes; says how many were taken, 0 if there is no room at present."""
        try:
            return self.sock.send(data)
        except BlockingIOError:
            return 0

    def flush(self) -> bool:
        """Tell whether everything that was taken has left: here it always has."""
        return True

    def rest(self) -> None:
        """Hold no memory while nothing is under way: here there is none."""

    def receive(self) -> bytes | None:
        """Take what has come: None if nothing has, b"" for the peer's FIN. Raises OSError."""
        try:
            return self.sock.recv(RECEIVE_MAX)
        except BlockingIOError:
            return None


class TlsStream:
    """Bytes through TLS. A session is never resumed: every connection makes a whole handshake."""

    __slots__ = ("_incoming", "_outgoing", "_tls", "_unsent", "sock", "truncated")

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, host: str) -> None:
        self.sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._unsent = b""
        self.truncated = False

    @property
    def buffered(self) -> bool:
        """Something has been taken from the socket that `receive` has not given yet."""
        # Nothing is in OpenSSL: `receive` takes a whole record (RFC 8446, 5.1: at most 16 KiB), and
        # OpenSSL takes no byte of the next one before it is asked for more.
        return bool(self._incoming.pending)

    def handshake(self, readable: bool) -> bool:
        """Go on with the handshake; True once it is done.

        The client's last word in TLS 1.3 (RFC 8446, 2) leaves with the first bytes that are sent:
        one segment less on the wire, and one wake-up less of the server.

        Args:
            readable: something may have come since the last call.

        Raises:
            OSError: the connection ended, or (ssl.SSLError) one side did not like the other.
        """
        if readable and not self._pull():
            return False
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self.flush()
            return False
        except ssl.SSLError:
            self._flush_alert()
            raise
        return True

    def send(self, data: bytes | memoryview) -> int:
        """Hand over some bytes; says how many were taken, 0 if there is no room at present."""
        if self._unsent and not self.flush():
            return 0
        taken = self._tls.write(data)
        self.flush()
        return taken

    def flush(self) -> bool:
        """Put on the wire what OpenSSL has ready; True if all of it has left. Raises OSError."""
        if self._outgoing.pending:
            self._unsent += self._outgoing.read()
        while self._unsent:
            try:
                self._unsent = self._unsent[self.sock.send(self._unsent) :]
            except BlockingIOError:
                return False
        return True

    def receive(self) -> bytes | None:
        """Take what has come: None if nothing has, b"" for the peer's end. Raises OSError."""
        if not self.buffered and not self._pull():
            return None
        try:
            return self._tls.read(RECEIVE_MAX)
        except ssl.SSLWantReadError:
            return None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def rest(self) -> None:
        """Hold no memory while nothing is under way: let OpenSSL give its write buffer back.

        It allots 16 KiB for writing when a session ticket comes (state_machine() in statem.c), and
        releases them with the next write (ssl3_write_bytes()). A write of nothing sends nothing
        (SSL_write_ex(3)). Where it fails, because the server has begun a new handshake (RFC 5246,
        7.4.1.1) or has ended the connection, the next request meets the same, and counts it.
        """
        if not self._unsent:
            with contextlib.suppress(ssl.SSLError):
                self._tls.write(b"")

    def _pull(self) -> bool:
        """Take from the wire; True if OpenSSL has something new to look at."""
        try:
            data = self.sock.recv(RECEIVE_MAX)
        except BlockingIOError:
            return False
        if data:
            self._incoming.write(data)
        else:
            self.truncated = True  # a close_notify before it would have ended the reading
            self._incoming.write_eof()
        return True

    def _flush_alert(self) -> None:
        """Let the peer have the alert that says why; it may be gone already."""
        try:
            self.flush()
        except OSError:
            self._unsent = b""


Stream = PlainStream | TlsStream
