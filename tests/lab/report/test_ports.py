"""The two ports of a DCOM burst, and their queues."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.lab.report import bursting, making
from vaultstorm.report import data, ports
from vaultstorm.report.ports import Held, Pause, Side


@pytest.mark.parametrize(
    "operation, numbers, said",
    [
        ("activation", [135], "the resolver, port 135"),
        ("call", [40123], "the object exporter, port 40123"),
        ("call", [40124, 40123], "the object exporters, ports 40123, 40124"),
        ("call", [], "the object exporter"),
    ],
)
def test_names(operation: str, numbers: list[int], said: str) -> None:
    """Who listens, and where."""
    assert ports.named(operation, numbers) == said


def test_ports_are_those_that_clients_went_to(tmp_path: Path) -> None:
    """By operation; a run without RPC has none."""
    with data.opened(bursting.run(tmp_path / "rpc")) as source:
        assert ports.numbers(source.db, "broken") == {"activation": (43135,), "call": (40123,)}
    with data.opened(making.make(tmp_path / "http", [making.BROKEN])) as source:
        assert ports.numbers(source.db, "broken") == {}


def joined(pauses: Iterable[Pause]) -> tuple[Pause, ...]:
    """Join none."""
    return tuple(pauses)


def test_each_side_has_its_own_queue_and_pauses() -> None:
    """What nobody gave a port belongs to both; before anybody listened there was no queue."""
    here, there = Pause(1.0, 2.0, "refuse", 40123), Pause(3.0, 4.0, "refuse", 443)
    any_ = Pause(5.0, 6.0, "refuse")
    held = [Held(0.0, 0, 0), Held(1.0, 0, 10), Held(2.0, 10, 0), Held(3.0, 0, 0)]
    resolver, exporter = ports.sides(
        {"activation": (135,), "call": (40123,)},
        {"activation": [], "call": held},
        [here, there, any_],
        joined,
    )
    assert (resolver.key, resolver.held, resolver.pauses) == ("resolver", (), (any_,))
    assert (exporter.key, exporter.held) == ("exporter", tuple(held[1:]))
    assert exporter.pauses == (here, any_)


def test_without_operations_there_are_no_sides() -> None:
    """And with activations alone there is one."""
    assert ports.sides({}, {}, [], joined) == ()
    (only,) = ports.sides({"activation": (135,)}, {"activation": []}, [], joined)
    assert only.operation == "activation"


@pytest.mark.parametrize(
    "operation, numbers, held, said",
    [
        ("activation", (135,), (), "Nobody listened for the resolver, port 135"),
        (
            *("call", (40123,), (Held(0.0, 10, 0), Held(1.0, 3, 7))),
            "The object exporter's accept queue held up to 10, and had as few as 0 slots free",
        ),
        (
            *("call", (1, 2), (Held(0.0, 1234, 5),)),
            "The object exporters' accept queue held up to 1,234, and had as few as 5 slots free",
        ),
    ],
)
def test_told(operation: str, numbers: tuple[int, ...], held: tuple[Held, ...], said: str) -> None:
    """Who does not see the chart is told what is in it."""
    assert ports.told(Side(operation, numbers, held, ())) == said
