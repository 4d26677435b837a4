"""One attempt's phases."""

from msgspec.structs import asdict

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


def test_every_field_of_its_record() -> None:
    """What the attempt knows is written down under the same name."""
    attempt = Attempt("a", 1.0, 2.0)
    durations = {"connect": 0.1, "tls": 0.2, "bind": 0.3, "send": 0.4, "wait": 0.5, "receive": 0.6}
    counts = {"nth": 3, "sent": 4, "received": 5, "syn_retries": 6, "win32": 7}
    texts = {"connection": "0.1", "local": "l", "peer": "p", "operation": "call"}
    for name, value in (durations | counts | texts).items():
        setattr(attempt, name, value)
    assert asdict(attempt.record("-", "receive.reset", 9.0, "ECONNRESET", "d")) == {
        **durations,
        **counts,
        **texts,
        "id": "a",
        "time": epoch(1.0),
        "start": epoch(2.0),
        "end": epoch(9.0),
        "outcome": "receive.reset",
        "errno": "ECONNRESET",
        "detail": "d",
    }


def test_an_attempt_of_an_rpc_target() -> None:
    """It says where it went, what it asked for, and which code a Windows client reports."""
    attempt = Attempt("a", 0.0, 0.0)
    attempt.peer, attempt.operation, attempt.win32 = "127.0.0.1:5000", "call", 1717
    record = attempt.record("127.0.0.1:135", "bind.rejected", 1.0, None, None)
    assert (record.peer, record.operation, record.win32) == ("127.0.0.1:5000", "call", 1717)
