"""The certificate of HTTPS: the user's own, or one of a small authority made on first start."""

import contextlib
import datetime
import fcntl
import ipaddress
import os
import re
import socket
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from vaultstorm_wire.errors import MachineError, UsageError

CA_FILE: Final = "ca.pem"
"""The authority's certificate: what clients are given."""
AUTHORITY_FILE: Final = "authority.pem"
"""The same with its private key."""
LEAF_FILE: Final = "server.pem"
"""The server's private key and certificate: one file, so that they always belong together."""

LIFETIME: Final = datetime.timedelta(days=397)
"""More than Apple's and Chrome's trust stores take is not worth issuing."""
RENEWAL: Final = datetime.timedelta(days=30)

_MONTHS: Final = "JanFebMarAprMayJunJulAugSepOctNovDec"
_NAME = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)(?:\.[A-Za-z0-9_-]{1,63})*")


def server_context(
    tls_dir: Path, host: str, cert: Path | None = None, key: Path | None = None
) -> tuple[ssl.SSLContext, Path | None]:
    """Make the context of all handshakes.

    Args:
        tls_dir: where the authority and its certificate are kept; made if it is not there.
        host: what the server listens on: a name or an address.
        cert: the user's own certificate chain, in place of all that.
        key: its private key, if it is not in the same file.

    Returns:
        The context, and the authority's certificate for clients to trust; None with `cert`.

    Raises:
        UsageError: `cert` and `key` are not a certificate and its key.
        MachineError: `tls_dir` cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A write never has to wait for a read.
    context.options |= ssl.OP_NO_RENEGOTIATION
    # A FIN without close_notify is answered with nothing: OpenSSL's alert would reach a client that
    # has closed, and provoke a RST that no failure caused.
    context.options |= ssl.OP_IGNORE_UNEXPECTED_EOF
    # A client that closes with a session ticket unread in its socket sends RST, not FIN.
    context.num_tickets = 0
    if cert is not None:
        _load_own(context, cert, key)
        return context, None
    if key is not None:
        raise UsageError(f"--key {key} needs its certificate: name it with --cert")
    try:
        with _directory(tls_dir):
            leaf = _issued(tls_dir, _names(host))
            context.load_cert_chain(leaf)
    except OSError as error:
        raise MachineError(
            f"cannot keep certificates in {tls_dir}: {error.strerror}; "
            "name another directory with --tls-dir, or bring your own with --cert and --key"
        ) from error
    return context, tls_dir / CA_FILE


def _load_own(context: ssl.SSLContext, cert: Path, key: Path | None) -> None:
    for option, path in (("--cert", cert), ("--key", key)):
        if path is None:
            continue
        try:
            path.open("rb").close()
        except OSError as error:
            raise UsageError(f"cannot read {option} {path}: {error.strerror}") from error
    try:
        # Without a password callback OpenSSL would ask on the terminal.
        context.load_cert_chain(cert, key, password=_no_password)
    except ssl.SSLError as error:
        what = f"--cert {cert}" if key is None else f"--cert {cert} and --key {key}"
        if error.reason == "KEY_VALUES_MISMATCH":
            raise UsageError(f"{what} do not belong together: the key is another's") from error
        raise UsageError(
            f"{what}: not a PEM certificate chain with its private key ({error.reason})"
        ) from error


def _no_password() -> str:
    raise UsageError("the private key is encrypted: name one without a password with --key")


@contextlib.contextmanager
def _directory(path: Path) -> Iterator[None]:
    """Make the directory, see that it is ours alone, and hold its lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    facts = path.stat()
    if not stat.S_ISDIR(facts.st_mode):
        raise MachineError(f"{path} is not a directory: name another one with --tls-dir")
    if facts.st_uid != os.geteuid():
        raise MachineError(
            f"{path} belongs to another user, who could read the private keys in it: "
            "name another directory with --tls-dir"
        )
    if facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise MachineError(
            f"others may write to {path}, and so replace the keys in it: chmod 700 it, or name "
            "another directory with --tls-dir"
        )
    lock = os.open(path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _names(host: str) -> set[str]:
    """Collect what clients of this machine may call the server, each in one spelling."""
    names = {"localhost", "127.0.0.1", "::1"}
    for name in (host, socket.gethostname()):
        try:
            address = ipaddress.ip_address(name.partition("%")[0])
        except ValueError:
            try:
                ascii_name = name.rstrip(".").encode("idna").decode("ascii").lower()
            except UnicodeError:
                continue  # no certificate can bear it, and no client can ask for it
            if _NAME.fullmatch(ascii_name) and "_" not in ascii_name:
                names.add(ascii_name)
        else:
            if not address.is_unspecified:
                names.add(str(address))
    return names


def _issued(directory: Path, names: set[str]) -> Path:
    """Give the file of a certificate for `names`: the one that is there, if it will do."""
    ca, authority, leaf = (directory / name for name in (CA_FILE, AUTHORITY_FILE, LEAF_FILE))
    if _will_do(ca, leaf, names):
        return leaf
    # Only now: cryptography takes 100 ms to import.
    import trustme
    from cryptography.x509 import load_pem_x509_certificate

    now = datetime.datetime.now(datetime.UTC)
    maker = None
    with contextlib.suppress(FileNotFoundError, ValueError):
        pem = authority.read_bytes()
        if load_pem_x509_certificate(pem).not_valid_after_utc > now + LIFETIME:
            maker = trustme.CA.from_pem(pem, pem)
    if maker is None:
        maker = trustme.CA(organization_name="vaultstorm", organization_unit_name="test authority")
        _write(authority, maker.private_key_pem.bytes() + maker.cert_pem.bytes(), 0o600)
    _write(ca, maker.cert_pem.bytes(), 0o644)
    issued = maker.issue_cert(
        *sorted(names),
        organization_name="vaultstorm",
        not_before=now - datetime.timedelta(days=1),
        not_after=now + LIFETIME,
    )
    _write(leaf, issued.private_key_and_cert_chain_pem.bytes(), 0o600)
    return leaf


def _write(path: Path, data: bytes, mode: int) -> None:
    """Put a file there whole or not at all, and never readable to more than `mode` says."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _will_do(ca: Path, leaf: Path, names: set[str]) -> bool:
    """Tell whether a client that trusts `ca` takes `leaf`, for all `names` and a while to come.

    It is tried: a handshake in memory checks key, signature and validity as clients will, and needs
    nothing but ssl.
    """
    try:
        if leaf.stat().st_mode & 0o077:
            return False
        server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_side.load_cert_chain(leaf, password=_no_password)
        client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client_side.load_verify_locations(ca)
        peer = _shake_hands(client_side, server_side)
    except (OSError, UsageError):
        return False
    found = set()
    for kind, name in peer.get("subjectAltName", ()):
        found.add(str(ipaddress.ip_address(name)) if kind == "IP Address" else name.lower())
    return names <= found and _day(peer["notAfter"]) > datetime.datetime.now(datetime.UTC) + RENEWAL


def _day(said: str) -> datetime.datetime:
    """Read the day of ``Jan  5 09:34:43 2018 GMT``; ssl.cert_time_to_seconds imports locales."""
    month, day, _, year, _ = said.split()
    number = _MONTHS.index(month) // 3 + 1
    return datetime.datetime(int(year), number, int(day), tzinfo=datetime.UTC)


def _shake_hands(client_side: ssl.SSLContext, server_side: ssl.SSLContext) -> dict[str, Any]:
    """Shake hands in memory, and give the server's certificate as the client has checked it."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_side.wrap_bio(down, up, server_hostname="localhost")
    server = server_side.wrap_bio(up, down, server_side=True)
    for side in (client, server, client):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    return client.getpeercert() or {}
