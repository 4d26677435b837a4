"""What is wrong with a request head, the way HTTP.SYS of IIS 6 sees it. Pure.

The order of the checks is that of a parser that reads from the first byte on: size, line ends,
verb, URL, version, header fields, and only then what the fields mean together. Sources: KB820129
for the limits, KB828726, KB835880 and KB2020943 for the refusals, KB820729 for the reasons.
"""

import re
from typing import Final, NamedTuple

from vaultstorm_server.settings import HttpSys


class Fault(NamedTuple):
    """Why a request is refused."""

    status: int
    detail: str
    """What the answer says in parentheses; empty for the bare phrase."""
    reason: str
    """The name in the HTTPERR log."""


class Head(NamedTuple):
    """What the connection needs to know of a head that is well-formed."""

    method: bytes
    target: bytes
    minor: int
    """0 for HTTP/1.0, 1 for 1.1 and above."""
    keep_alive: bool
    """The client wants the connection kept."""
    length: int
    """Content-Length, 0 without one."""
    chunked: bool
    expects_continue: bool
    id: str | None
    """X-Request-Id."""
    headers: list[tuple[bytes, bytes]]
    """All fields, names in lowercase."""


class Line(NamedTuple):
    """A request line as far as it can be told apart, for the log: empty where it cannot."""

    version: bytes
    method: bytes
    target: bytes


BAD_REQUEST: Final = Fault(400, "", "BadRequest")
TOO_LARGE: Final = Fault(413, "", "EntityTooLarge")
_HEADER_TOO_LONG: Final = Fault(400, "Request Header Too Long", "RequestLength")
_FIELD_TOO_LONG: Final = Fault(400, "Header Field Too Long", "FieldLength")
_LINE_END: Final = Fault(400, "", "Invalid_CR/LF")
_VERB: Final = Fault(400, "Invalid Verb", "Verb")
_URL: Final = Fault(400, "Invalid URL", "URL")
_URL_LENGTH: Final = Fault(414, "", "URL_Length")
_VERSION: Final = Fault(505, "", "Version_N/S")
_NAME: Final = Fault(400, "Invalid Header Name", "Header")
_VALUE: Final = Fault(400, "", "Header")
_NUMBER: Final = Fault(400, "", "Number")
_NOT_IMPLEMENTED: Final = Fault(501, "", "N/I")
_HOST: Final = Fault(400, "Invalid Hostname", "Hostname")
_NO_LENGTH: Final = Fault(411, "", "LengthRequired")

_ID_MAX: Final = 128

_STRAY = re.compile(rb"(?<!\r)\n|\r[^\n]")
"""A line feed without its carriage return, or the reverse."""
_METHOD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Z-]+")
"""An RFC 9110 token without lowercase letters: IIS 6 answers those with Invalid Verb."""
_VERSION_FORM = re.compile(rb"HTTP/([0-9]{1,4})\.([0-9]{1,4})")
_FIELDS = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00-\x08\x0a-\x1f\x7f]*\r\n)*")
_FIELD_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FOLD = re.compile(rb"\r\n[ \t]+")
_TARGET = re.compile(rb"[!-~]+")
_ORIGIN = re.compile(rb"(?i:https?://[^/?#]+)?(/[^?#]*|(?=[?#]|\Z))")
_ESCAPE = re.compile(rb"%u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2}|%")
# AllowRestrictedChars 0: U+0000 to U+001F and U+007F to U+009F may not be written as escapes
# either; PercentUAllowed 1: %uNNNN is one (KB820129). An escape of 80 to 9F is part of UTF-8.
_RESTRICTED = re.compile(
    rb"%u00(?:[01][0-9A-Fa-f]|7[Ff]|[89][0-9A-Fa-f])|%(?:[01][0-9A-Fa-f]|7[Ff])"
)
_HOST_FORM = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{0,5}))?")

_MEANT: Final = frozenset(
    (b"host", b"content-length", b"transfer-encoding", b"connection", b"expect", b"x-request-id")
)


def end(buffer: bytes | bytearray, scanned: int, limits: HttpSys) -> int | Fault:
    """Find where the head ends in what has arrived so far.

    The verdict does not depend on how the bytes were cut on their way: whichever limit the earliest
    byte crosses is the one that is named.

    Args:
        buffer: begins with the request line.
        scanned: how much of it an earlier call has seen.
        limits: the settings.

    Returns:
        The offset behind the empty line; 0 if there is none yet; or the fault.
    """
    most = limits.MaxRequestBytes
    found = buffer.find(b"\r\n\r\n", max(0, scanned - 3), most)
    if found >= 0:
        return found + 4
    stray = _STRAY.search(buffer, max(0, scanned - 1), most)
    if stray is not None:
        return _LINE_END
    return _oversized(bytes(buffer[: most + 1]), limits) if len(buffer) > most else 0


def _oversized(raw: bytes, limits: HttpSys) -> Fault:
    line, *fields = raw.split(b"\r\n")
    if len(line) > limits.MaxFieldLength and len(line.split(b" ")) > 1:
        return _URL_LENGTH
    if any(len(field) > limits.MaxFieldLength for field in fields):
        return _FIELD_TOO_LONG
    return _HEADER_TOO_LONG


def request_line(raw: bytes) -> Line:
    """Tell the parts of the first line apart, whatever is wrong with them."""
    parts = raw.partition(b"\n")[0].rstrip(b"\r").split(b" ")
    if len(parts) == 3 and all(parts):
        return Line(parts[2], parts[0], parts[1])
    return Line(b"", b"", b"")


def request_id(raw: bytes) -> str | None:
    """Find the X-Request-Id of a head that was refused."""
    match = re.search(rb"(?i)\nx-request-id:[ \t]*([!-~]+)", raw)
    return match[1][:_ID_MAX].decode("ascii") if match else None


def inspect(raw: bytes, limits: HttpSys) -> Head | Fault:
    """Judge one head, up to and with its empty line."""
    if not raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r"):
        return _LINE_END
    if b"\r\n " in raw or b"\r\n\t" in raw:
        raw = _FOLD.sub(b" ", raw)
    line, _, rest = raw.partition(b"\r\n")
    parts = line.split(b" ")
    fault = _line_fault(parts, limits)
    if fault is not None:
        return fault
    method, target, version = parts
    if not _FIELDS.fullmatch(rest, 0, len(rest) - 2):
        return _field_fault(rest)
    meant: dict[bytes, bytes] = {}
    headers: list[tuple[bytes, bytes]] = []
    for field in rest[:-4].split(b"\r\n") if len(rest) > 2 else ():
        if len(field) > limits.MaxFieldLength:
            return _FIELD_TOO_LONG
        name, _, value = field.partition(b":")
        name, value = name.lower(), value.strip(b" \t")
        headers.append((name, value))
        if name in _MEANT:
            if name in meant:
                # Joined as RFC 9110, 5.3 says; twice a Host or a length is found out below.
                value = b"%b,%b" % (meant[name], value)
            meant[name] = value
    return _meaning(method, target, min(version[-1] - ord("0"), 1), meant, headers, limits)


def _line_fault(parts: list[bytes], limits: HttpSys) -> Fault | None:
    """Judge verb, URL and version, in this order."""
    if not _METHOD.fullmatch(parts[0]):
        return _VERB
    if len(parts) != 3:
        return BAD_REQUEST if len(parts) < 3 else _URL
    method, target, version = parts
    if len(target) > limits.MaxFieldLength:
        return _URL_LENGTH
    if not _TARGET.fullmatch(target):
        return _URL
    origin = _ORIGIN.match(target)
    if (origin is None or not origin[0]) and (method, target) != (b"OPTIONS", b"*"):
        return _URL
    path = origin[1] if origin else b""
    if b"%" in path:
        if b"%" in _ESCAPE.findall(path) or _RESTRICTED.search(path):
            return _URL
        path = _ESCAPE.sub(b"_", path)
    longest, most = limits.UrlSegmentMaxLength, limits.UrlSegmentMaxCount
    if most and path.count(b"/") > most:
        return _URL
    if longest and len(path) > longest and max(map(len, path.split(b"/"))) > longest:
        return _URL
    return None if version in (b"HTTP/1.1", b"HTTP/1.0") else _version_fault(version)


def _version_fault(version: bytes) -> Fault | None:
    form = _VERSION_FORM.fullmatch(version)
    if form is None or int(form[1]) == 0:
        return BAD_REQUEST
    if int(form[1]) > 1:
        return _VERSION
    return None if len(version) == len(b"HTTP/1.1") else BAD_REQUEST  # RFC 9112, 2.3: two digits


def _field_fault(rest: bytes) -> Fault:
    """Say what is wrong with fields that are not all well-formed."""
    for field in rest[:-4].split(b"\r\n"):
        name, colon, _ = field.partition(b":")
        if not colon or not _FIELD_NAME.fullmatch(name):
            return _NAME
    return _VALUE


def _meaning(
    method: bytes,
    target: bytes,
    minor: int,
    meant: dict[bytes, bytes],
    headers: list[tuple[bytes, bytes]],
    limits: HttpSys,
) -> Head | Fault:
    """Judge what the fields say together."""
    get = meant.get
    coding, number = get(b"transfer-encoding"), get(b"content-length")
    length = 0
    if number is not None:
        # 20 digits are more than a ULONGLONG holds; two lengths have become "5,5" above.
        if not number.isdigit() or len(number) > 19:
            return _NUMBER
        length = int(number)
    if coding is not None:
        if coding.lower() != b"chunked":
            return _NOT_IMPLEMENTED
        if number is not None or minor == 0:
            return BAD_REQUEST  # RFC 9112, 6.1: the way to smuggle a request
    host = get(b"host")
    if not (_host_fits(host) if host is not None else minor == 0):
        return _HOST
    if coding is None and number is None and method in (b"POST", b"PUT"):
        return _NO_LENGTH
    if length > limits.MaxRequestEntityAllowed:
        return TOO_LARGE
    name = get(b"x-request-id")
    return Head(
        method,
        target,
        minor,
        _keeps_alive(get(b"connection"), minor),
        length,
        coding is not None,
        minor == 1 and get(b"expect", b"").lower() == b"100-continue",
        name[:_ID_MAX].decode("latin-1") if name else None,
        headers,
    )


def _host_fits(host: bytes) -> bool:
    match = _HOST_FORM.fullmatch(host)
    return match is not None and int(match[1] or 0) <= 65535


def _keeps_alive(connection: bytes | None, minor: int) -> bool:
    """Tell what the client wants: 1.1 keeps unless it says close, 1.0 closes unless it asks."""
    if connection is None:
        return minor == 1
    tokens = [token.strip() for token in connection.lower().split(b",")]
    return b"close" not in tokens and (minor == 1 or b"keep-alive" in tokens)
