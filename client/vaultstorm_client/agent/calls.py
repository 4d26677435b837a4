"""The calls of the vault's protocol: what is sent, and what an answer must say to be one."""

import re
from collections.abc import Sequence
from enum import Enum, auto
from typing import Any, Final, NamedTuple

import msgspec

_INTERFACE = re.compile(r"[A-Za-z0-9._~-]{1,128}")
_CODE = re.compile(r"[a-z0-9_]{1,40}")
_TALK: Final = 16384
"""Bytes that an answer takes to say something about a call, lists of blocks apart."""
_NAME: Final = 80
"""Bytes that one block's name takes in such a list, generously."""
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Kind(Enum):
    """What a call is for."""

    OPEN = auto()
    PUT = auto()
    COMMIT = auto()
    VERIFY = auto()
    READ = auto()
    """Of a block."""
    READ_MANIFEST = auto()
    CLOSE = auto()


class Call(NamedTuple):
    """One call, which one attempt carries.

    Attributes:
        path: below the vault's own.
        keep: how many bytes of an answer's body are of use; a longer one is wrong by its length.
        body: None where a request of this method has none.
        name: of the block or the snapshot that it is about.
        sha256: of the body, where the vault is to keep it.
        expected: what a read-back has to give.
        common: it is about a block that all agents draw from.
        snapshot: the number of the agent's snapshot that it is about.
    """

    kind: Kind
    method: str
    path: str
    keep: int
    body: bytes | None = None
    name: str = ""
    sha256: str = ""
    expected: bytes = b""
    common: bool = False
    snapshot: int = 0


class Answer(NamedTuple):
    """A complete answer; of a body that is too long to be right only the beginning.

    Attributes:
        id: of the request that was answered.
    """

    status: int
    body: bytes
    id: str = ""


def opening() -> Call:
    """Ask for an interface."""
    return Call(Kind.OPEN, "POST", "/interfaces", _TALK, b"")


def closing(interface: str) -> Call:
    """Give an interface back."""
    return Call(Kind.CLOSE, "DELETE", f"/interfaces/{interface}", _TALK)


def putting(interface: str, sha256: str, content: bytes, common: bool) -> Call:
    """Put a block."""
    path = f"/interfaces/{interface}/blocks/{sha256}"
    return Call(Kind.PUT, "PUT", path, _TALK, content, sha256, sha256, common=common)


def reading(interface: str, sha256: str, content: bytes, common: bool, snapshot: int) -> Call:
    """Read a block back."""
    path = f"/interfaces/{interface}/blocks/{sha256}"
    keep = max(len(content) + 1, _TALK)
    return Call(Kind.READ, "GET", path, keep, None, sha256, sha256, content, common, snapshot)


def committing(interface: str, name: str, manifest: bytes, sha256: str, blocks: int) -> Call:
    """Commit a snapshot."""
    path = f"/interfaces/{interface}/snapshots/{name}"
    return Call(Kind.COMMIT, "PUT", path, _TALK + _NAME * blocks, manifest, name, sha256)


def verifying(interface: str, name: str, blocks: int, snapshot: int) -> Call:
    """Have the vault read a snapshot through."""
    path = f"/interfaces/{interface}/snapshots/{name}/verify"
    keep = _TALK + _NAME * blocks
    return Call(Kind.VERIFY, "POST", path, keep, b"", name, snapshot=snapshot)


def reading_manifest(interface: str, name: str, manifest: bytes, snapshot: int) -> Call:
    """Read a manifest back."""
    path = f"/interfaces/{interface}/snapshots/{name}"
    keep = max(len(manifest) + 1, _TALK)
    return Call(
        Kind.READ_MANIFEST, "GET", path, keep, name=name, expected=manifest, snapshot=snapshot
    )


def manifest_of(names: Sequence[str]) -> bytes:
    """Write a manifest."""
    return _encode({"blocks": names})


def interface_in(answer: Answer) -> str | None:
    """Give the interface that an answer names; None if it names none that can stand in a path."""
    name = content_of(answer).get("interface")
    return name if isinstance(name, str) and _INTERFACE.fullmatch(name) else None


def code_in(answer: Answer) -> str:
    """Give the code of a refusal; nothing if that is none of a vault's."""
    code = content_of(answer).get("code")
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def names_in(answer: Answer, key: str) -> list[str] | None:
    """Give the list of names that an answer has; None if it has none."""
    names = content_of(answer).get(key)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    return names


def content_of(answer: Answer) -> dict[str, Any]:
    """Give what an answer says; nothing if that is no JSON object."""
    try:
        said = _decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
