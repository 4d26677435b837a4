"""What an answer says of data that was acknowledged, and why a snapshot has failed."""

from typing import Final

from vaultstorm_client.agent.calls import Answer, Call, Kind, code_in
from vaultstorm_client.agent.ledger import Finding

_OF_ACKNOWLEDGED: Final = (Kind.READ, Kind.READ_MANIFEST, Kind.VERIFY)
"""They ask for what the vault has said it keeps."""
_DAMAGED: Final = ("damaged", "malformed_manifest")
_IN_FRONT: Final = (502, 503, 504)
"""What gateways, and http.sys for a pool that is full or stopped, say in a server's place."""
_DOING: Final = {
    Kind.OPEN: "opening an interface",
    Kind.PUT: "putting a block",
    Kind.COMMIT: "committing a snapshot",
    Kind.VERIFY: "verifying a snapshot",
    Kind.READ: "reading a block back",
    Kind.READ_MANIFEST: "reading a manifest back",
    Kind.CLOSE: "closing an interface",
}


def refusal(call: Call, answer: Answer) -> tuple[Finding, str] | None:
    """Say what a refused call shows of what it asked for, with the detail; None for nothing.

    A 404 is lost even without the vault's own code: who asks under the name that was given for it
    is told that it is not there. Only an interface that is gone says nothing of what is kept.
    """
    if call.kind not in _OF_ACKNOWLEDGED or answer.status < 400:
        return None
    code = code_in(answer)
    if code in _DAMAGED:
        return Finding.CORRUPT, f"{answer.status} {code}"
    if answer.status != 404 or code == "unknown_interface":
        return None
    foreign = "404 without a vault's code: a proxy may have said so, or another server"
    return Finding.LOST, f"404 {code}" if code else foreign


def difference(expected: bytes, given: bytes) -> str | None:
    """Say how a read-back differs from what was put; None if it does not."""
    if given == expected:
        return None
    if len(given) > len(expected):
        return f"more than the {len(expected)} bytes that were put came back"
    if len(given) < len(expected):
        return f"{len(given)} of {len(expected)} bytes came back"
    pairs = enumerate(zip(expected, given, strict=True))
    first = next(place for place, (ours, theirs) in pairs if ours != theirs)
    return f"other bytes came back, the first of them at {first} of {len(expected)}"


def reason(call: Call, answer: Answer | None) -> str:
    """Say why a call has failed its snapshot; never in the words of the server."""
    doing = _DOING[call.kind]
    if answer is None:
        return f"{doing} had no complete answer"
    said = f"the answer to {doing} was {answer.status}"
    code = code_in(answer)
    if code:
        return f"{said} {code}"
    if call.kind is not Kind.OPEN:
        return f"{said} from something in front of the vault or in its place"
    if answer.status in _IN_FRONT:
        return f"{said} from something in front of a vault"
    return f"{said} from something that is no vault"
