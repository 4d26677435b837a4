"""Every outcome means something to a person."""

import pytest

from vaultstorm_client.meaning import MEANINGS, meaning
from vaultstorm_wire.outcome import NAMES


@pytest.mark.parametrize("outcome", [*NAMES, "http.400", "http.503", "resolve.failed"])
def test_every_outcome_has_a_meaning(outcome: str) -> None:
    """No outcome is without its sentence, and a sentence is one."""
    sentence = meaning(outcome)
    assert sentence
    assert "\n" not in sentence
    assert not sentence.endswith(".")


def test_no_meaning_is_unreachable() -> None:
    """Each sentence belongs to an outcome that there is."""
    assert set(MEANINGS) <= {*NAMES, "resolve.failed", "http.503"}


def test_the_clients_own_trouble_is_not_the_servers() -> None:
    """`local` speaks of this machine."""
    assert all("this machine" in meaning(name) for name in NAMES if name.endswith(".local"))


def test_the_hang_has_more_than_one_cause() -> None:
    """TECH39579 is one of them: what tells them apart is said, and what helps against all."""
    said = meaning("wait.timeout")
    assert "nothing came back: the pool hangs, for instance as in TECH39579" in said
    assert "stopped or stuck" in said
    assert "hotfix 12 if it is TECH39579" in said
    assert all(word in said for word in ("iisreset", "vaultstorm ctl status", "threads_held"))


def test_only_what_went_before_is_said_to_work() -> None:
    """The hang is told from the layers that the scheme has."""
    assert meaning("wait.timeout").startswith("TCP connects, the request was sent")
    assert meaning("wait.timeout", through_tls=True).startswith("TCP and TLS connect, the request")
    assert meaning("wait.reset", through_tls=True) == meaning("wait.reset")
