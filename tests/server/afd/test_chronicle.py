"""What a listener journals."""

from pathlib import Path

from vaultstorm_server import clock
from vaultstorm_server.afd.chronicle import Chronicle
from vaultstorm_server.journal import JournalFile
from vaultstorm_wire import journal
from vaultstorm_wire.journal import Event, Pause, TurnedAway


def test_every_record_has_the_port(tmp_path: Path) -> None:
    """And the times that were given, or the present one."""
    file = JournalFile(tmp_path, "front")
    chronicle = Chronicle(file, 135, "refuse")
    began = clock.now()
    chronicle.pause_began(1.5)
    chronicle.turned_away("127.0.0.1:7", "backlog_full")
    chronicle.pause_ended(1.5, 3)
    chronicle.event("protection_began", "5 refused")
    file.close()

    assert file.path is not None
    with file.path.open("rb") as lines:
        _, pause_began, turned_away, pause, event = journal.read(lines)
    assert pause_began == Event(time=1.5, name="pause_began", detail="refuse", port=135)
    assert isinstance(turned_away, TurnedAway)
    assert (turned_away.peer, turned_away.cause) == ("127.0.0.1:7", "backlog_full")
    assert (turned_away.how, turned_away.port) == ("reset", 135)
    assert isinstance(pause, Pause)
    assert (pause.time, pause.style, pause.caught, pause.port) == (1.5, "refuse", 3, 135)
    assert isinstance(event, Event)
    assert (event.name, event.detail, event.port) == ("protection_began", "5 refused", 135)
    times = [began, turned_away.time, pause.until, event.time, clock.now()]
    assert times == sorted(times)
