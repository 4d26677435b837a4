"""The vault's methods, without a process around them."""

import hashlib
import json
from typing import Any

import pytest

from vaultstorm_server.w3wp.vault import Answer, Vault, VaultStatistics

BODY = b"a block"
NAME = hashlib.sha256(BODY).hexdigest()
PATH = f"/AeXRSVault/blocks/{NAME}"


@pytest.fixture
def vault() -> Vault:
    """Make a vault that keeps two blocks at most."""
    return Vault(max_blocks=2, pid=4711, started=100.0)


def ask(vault: Vault, method: str, target: str, body: bytes = b"") -> Answer:
    """Run one method 2.5 s after the start."""
    return vault.handle(method, target, body, 102.5)


def told(answer: Answer) -> Any:
    """Read a JSON answer."""
    assert (b"Content-Type", b"application/json") in answer.headers
    return json.loads(answer.body)


def test_status_tells_who_serves_since_when_and_what_is_kept(vault: Vault) -> None:
    """The status has the pid, the seconds since the start, and the sums of the blocks."""
    ask(vault, "PUT", PATH, BODY)

    answer = ask(vault, "GET", "/AeXRSVault/status?x=1")

    assert answer.status == 200
    assert told(answer) == {
        "service": "AeXRSVault",
        "pid": 4711,
        "uptime": 2.5,
        "blocks": 1,
        "bytes": len(BODY),
    }


def test_a_block_is_new_once_and_known_after_that(vault: Vault) -> None:
    """PUT answers 201, then 200, and keeps one; upper case hex names the same block."""
    assert ask(vault, "PUT", PATH, BODY).status == 201
    assert ask(vault, "PUT", PATH, BODY).status == 200
    assert ask(vault, "PUT", f"/AeXRSVault/blocks/{NAME.upper()}", BODY).status == 200
    assert vault.statistics() == VaultStatistics(1, len(BODY))


def test_a_block_is_read_as_it_was_put(vault: Vault) -> None:
    """GET gives the bytes, HEAD their number; in the absolute form of a target as well."""
    ask(vault, "PUT", PATH, BODY)

    for target in (PATH, f"https://localhost:443{PATH}"):
        assert ask(vault, "GET", target).status == 200
        assert ask(vault, "GET", target).body == BODY
        head = ask(vault, "HEAD", target)
        assert (head.status, head.body) == (200, b"")
        assert (b"Content-Length", b"%d" % len(BODY)) in head.headers


def test_an_empty_block_is_a_block(vault: Vault) -> None:
    """Nothing has a digest too, and is kept and given like anything else."""
    path = f"/AeXRSVault/blocks/{hashlib.sha256(b'').hexdigest()}"
    assert ask(vault, "PUT", path).status == 201
    answer = ask(vault, "GET", path)
    assert (answer.status, answer.body) == (200, b"")


def test_a_body_of_another_digest_is_refused_and_told_its_own(vault: Vault) -> None:
    """The answer names the path that would have been right; nothing is kept."""
    answer = ask(vault, "PUT", PATH, BODY + b"!")

    assert answer.status == 400
    right = f"/AeXRSVault/blocks/{hashlib.sha256(BODY + b'!').hexdigest()}"
    assert told(answer)["error"].endswith(right)
    assert vault.statistics().blocks == 0


def test_the_vault_is_full_at_max_blocks(vault: Vault) -> None:
    """The third of two blocks gets 507; those that are kept can be put again."""
    for number, status in enumerate([201, 201, 507]):
        body = b"%d" % number
        path = f"/AeXRSVault/blocks/{hashlib.sha256(body).hexdigest()}"
        assert ask(vault, "PUT", path, body).status == status
        again = 200 if status == 201 else 507
        assert ask(vault, "PUT", path, body).status == again
    assert vault.statistics().blocks == 2


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/AeXRSVault",
        "/AeXRSVault/status/",
        "/AeXRSVault/blocks/",
        f"{PATH}0",
        PATH[:-1],
        PATH[:-1] + "g",
        "*",
        "https://localhost",
    ],
)
def test_elsewhere_is_nothing(vault: Vault, target: str) -> None:
    """Any other path, and a name of 63, 65 or wrong digits, is 404 with a word of what is there."""
    answer = ask(vault, "GET", target)
    assert answer.status == 404
    assert "sha256" in told(answer)["error"].lower().replace("-", "")


def test_a_block_that_was_not_put_is_not_found(vault: Vault) -> None:
    """GET is told to PUT first; HEAD gets the same status and no body."""
    assert "PUT it first" in told(ask(vault, "GET", PATH))["error"]
    head = ask(vault, "HEAD", PATH)
    assert (head.status, head.body) == (404, b"")


@pytest.mark.parametrize(
    "target, allow", [(PATH, b"GET, HEAD, PUT"), ("/AeXRSVault/status", b"GET, HEAD")]
)
def test_other_methods_are_told_which_are_allowed(vault: Vault, target: str, allow: bytes) -> None:
    """405 comes with Allow (RFC 9110, 15.5.6)."""
    answer = ask(vault, "DELETE", target)
    assert answer.status == 405
    assert (b"Allow", allow) in answer.headers
