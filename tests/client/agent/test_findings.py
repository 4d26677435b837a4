"""What a refusal shows of acknowledged data, how a read-back differs, and why snapshots fail."""

import pytest

from tests.client.fake_vault import Said, refuses
from vaultstorm_client.agent import calls
from vaultstorm_client.agent.calls import Answer, Call
from vaultstorm_client.agent.findings import difference, reason, refusal
from vaultstorm_client.agent.ledger import Finding

PUT = calls.putting("i", "0" * 64, b"abc", False)
READ = calls.reading("i", "0" * 64, b"abc", False, 0)
MANIFEST = calls.reading_manifest("i", "s", b"abc", 0)
VERIFY = calls.verifying("i", "s", 1, 0)
FOREIGN = "404 without a vault's code: a proxy may have said so, or another server"


@pytest.mark.parametrize("call", [READ, MANIFEST, VERIFY], ids=["read", "manifest", "verify"])
@pytest.mark.parametrize(
    "said, shown",
    [
        ((200, b""), None),
        (refuses(399, "damaged"), None),
        (refuses(400, "malformed_manifest"), (Finding.CORRUPT, "400 malformed_manifest")),
        (refuses(500, "damaged"), (Finding.CORRUPT, "500 damaged")),
        (refuses(500, "exception"), None),
        ((500, b"damaged"), None),
        (refuses(404, "unknown_block"), (Finding.LOST, "404 unknown_block")),
        (refuses(404, "unknown_interface"), None),
        ((404, b"not here"), (Finding.LOST, FOREIGN)),
        (refuses(404, "\x1b[2J"), (Finding.LOST, FOREIGN)),
        (refuses(404, "x" * 41), (Finding.LOST, FOREIGN)),
        (refuses(403, "unknown_block"), None),
    ],
)  # fmt: skip
def test_refusals(call: Call, said: Said, shown: tuple[Finding, str] | None) -> None:
    """Only an interface that is gone makes a 404 say nothing; codes of others are not repeated."""
    assert refusal(call, Answer(*said)) == shown


def test_what_was_not_acknowledged_cannot_be_lost() -> None:
    """Calls that bring something, open or close, show nothing of what is kept."""
    for call in (PUT, calls.opening(), calls.closing("i")):
        assert refusal(call, Answer(404, b"")) is None
        assert refusal(call, Answer(*refuses(500, "damaged"))) is None


@pytest.mark.parametrize(
    "given, said",
    [
        (b"abc", None),
        (b"", "0 of 3 bytes came back"),
        (b"ab", "2 of 3 bytes came back"),
        (b"abcd", "more than the 3 bytes that were put came back"),
        (b"xbc", "other bytes came back, the first of them at 0 of 3"),
        (b"abx", "other bytes came back, the first of them at 2 of 3"),
    ],
)
def test_differences(given: bytes, said: str | None) -> None:
    """It is said how much came back, or where it begins to differ."""
    assert difference(b"abc", given) == said


@pytest.mark.parametrize(
    "call, answer, said",
    [
        (calls.opening(), Answer(404, b"<html>"),
         "the answer to opening an interface was 404 from something that is no vault"),
        (calls.opening(), Answer(501, b""),
         "the answer to opening an interface was 501 from something that is no vault"),
        (calls.opening(), Answer(201, b"thanks"),
         "the answer to opening an interface was 201 from something that is no vault"),
        (calls.opening(), Answer(503, b"<html>"),
         "the answer to opening an interface was 503 from something in front of a vault"),
        (READ, Answer(404, b""), "the answer to reading a block back was 404 from something in "
         "front of the vault or in its place"),
        (PUT, Answer(*refuses(507, "full")), "the answer to putting a block was 507 full"),
        (READ, None, "reading a block back had no complete answer"),
        (calls.closing("i"), None, "closing an interface had no complete answer"),
    ],
)  # fmt: skip
def test_reasons(call: Call, answer: Answer | None, said: str) -> None:
    """It is told what was wanted, what came, and whether that was a vault's."""
    assert reason(call, answer) == said


def test_every_kind_has_its_words() -> None:
    """No kind of call can fail without a reason."""
    assert all(reason(Call(kind, "", "", 0), None) for kind in calls.Kind)
