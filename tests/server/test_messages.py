"""The messages as they stand in a frame: MessagePack arrays, the tag first."""

import msgspec
import pytest

from vaultstorm_server.messages import (
    Done,
    Hello,
    Message,
    Note,
    Ping,
    Pong,
    Stop,
    Table,
    ToFront,
    ToWorker,
    Work,
)

WIRE: list[tuple[Message, str]] = [
    (Work(7, "i", "PUT", "/", [(b"a", b"b")], b"c"), "97 01 07 a169 a3505554 a12f"),
    (Hello(5), "92 02 05"),
    (Done(7, 201, [], b"c"), "95 03 07 ccc9 90 c40163"),
    (Ping(), "91 04"),
    (Stop(), "91 05"),
    (Pong(), "92 06 c0"),
    (Pong("full"), "92 06 a466756c6c"),
    (Note(1.5, "n"), "94 07 cb3ff8000000000000 a16e c0"),
    (Note(1.5, "n", "d"), "94 07 cb3ff8000000000000 a16e a164"),
    (Table(256, 1), "93 08 cd0100 01"),
]


@pytest.mark.parametrize("message, begins", WIRE, ids=[begins[:5] for _, begins in WIRE])
def test_a_message_is_an_array_with_its_tag_first(message: Message, begins: str) -> None:
    """The bytes are those of the MessagePack specification, and give the same message again."""
    data = msgspec.msgpack.encode(message)
    assert data.hex().startswith(begins.replace(" ", ""))
    kind = ToWorker if isinstance(message, Work | Ping | Stop) else ToFront
    assert msgspec.msgpack.decode(data, type=kind) == message


@pytest.mark.parametrize("time", [float("nan"), float("inf"), -1.0, 2e11])
def test_a_time_is_one_that_a_journal_can_hold(time: float) -> None:
    """JSON has no infinity, and nobody sorts by what is no number."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode(Note(time, "n")), type=ToFront)


@pytest.mark.parametrize("table, fits", [((0, 0), True), ((-1, 0), False), ((0, -1), False)])
def test_a_table_holds_nothing_or_something(table: tuple[int, int], fits: bool) -> None:
    """Less than nothing is no message."""
    data = msgspec.msgpack.encode(Table(*table))
    if fits:
        assert msgspec.msgpack.decode(data, type=ToFront) == Table(*table)
    else:
        with pytest.raises(msgspec.ValidationError):
            msgspec.msgpack.decode(data, type=ToFront)


def test_the_sides_do_not_say_each_others_messages() -> None:
    """Whatever one side may say is no message of the other one."""
    for message, _ in WIRE:
        other = ToFront if isinstance(message, Work | Ping | Stop) else ToWorker
        with pytest.raises(msgspec.ValidationError):
            msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=other)
