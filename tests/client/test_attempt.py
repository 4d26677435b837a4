"""One attempt's phases."""

from vaultstorm_client.attempt import Attempt
from vaultstorm_client.clock import epoch
from vaultstorm_wire.outcome import Phase


def test_phases() -> None:
    """Each phase lasts until the next is entered, and one entered again adds up."""
    attempt = Attempt("a", 9.0, 10.0)
    attempt.close(10.5)
    attempt.enter(Phase.TLS, 11.0)
    attempt.enter(Phase.SEND, 13.0)
    attempt.close(13.0000004)
    record = attempt.record("127.0.0.1:1", "send.reset", 14.0, "ECONNRESET", None)
    assert (record.connect, record.tls, record.send) == (1.0, 2.0, 0.0)
    assert (record.bind, record.wait, record.receive) == (None, None, None)
    assert (record.time, record.start, record.end) == (epoch(9.0), epoch(10.0), epoch(14.0))
    assert (record.outcome, record.errno, record.local) == ("send.reset", "ECONNRESET", None)
    assert (record.peer, record.operation, record.win32) == ("127.0.0.1:1", None, None)


def test_an_attempt_of_an_rpc_target() -> None:
    """It says where it went, what it asked for, and which code a Windows client reports."""
    attempt = Attempt("a", 0.0, 0.0)
    attempt.peer, attempt.operation, attempt.win32 = "127.0.0.1:5000", "call", 1717
    record = attempt.record("127.0.0.1:135", "bind.rejected", 1.0, None, None)
    assert (record.peer, record.operation, record.win32) == ("127.0.0.1:5000", "call", 1717)
