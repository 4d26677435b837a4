"""What the vault says: an answer, and an error with a code that a program can go by."""

from typing import Any, Final, NamedTuple

import msgspec

from vaultstorm_server.messages import Headers

_JSON: Final = (b"Content-Type", b"application/json")
_BYTES: Final = (b"Content-Type", b"application/octet-stream")
_encode = msgspec.json.Encoder().encode


class Answer(NamedTuple):
    """An answer of the vault's."""

    status: int
    headers: Headers
    body: bytes


class Refused(Exception):
    """A call that is answered with an error; what it was about stays as it was.

    Args:
        status: 400 or above.
        code: for programs, such as ``unknown_interface``.
        error: for people: what is wrong, and what would be right.
        more: further members of the answer.
    """

    def __init__(self, status: int, code: str, error: str, **more: Any) -> None:
        super().__init__(error)
        self.answer = json(status, {"status": status, "code": code, "error": error, **more})


class NotAllowed(Refused):
    """A method that does nothing at this path (RFC 9110, 15.5.6)."""

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        there = ", ".join(allowed)
        does = "does" if len(allowed) == 1 else "do"
        super().__init__(405, "not_allowed", f"{method} does nothing here; {there} {does}")
        self.answer.headers.append((b"Allow", there.encode()))


def json(status: int, content: dict[str, Any]) -> Answer:
    """Answer with JSON."""
    return Answer(status, [_JSON], _encode(content))


def octets(body: bytes) -> Answer:
    """Answer with the bytes that are kept."""
    return Answer(200, [_BYTES], body)


def without_body(answer: Answer) -> Answer:
    """Turn an answer to GET into the one to HEAD: the length in place of the body."""
    length = (b"Content-Length", b"%d" % len(answer.body))
    return Answer(answer.status, [*answer.headers, length], b"")
