"""Whatever arrives, only events and the protocol's own error come out, and little is held."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.dcerpc import captured, fuzz
from vaultstorm_wire.dcerpc.connection import Connection, Role
from vaultstorm_wire.dcerpc.pdu import Ptype

INPUTS = 20_000
BATCHES = 4


@pytest.mark.parametrize("batch", range(BATCHES))
def test_mutated_pdus(batch: int) -> None:
    """20,000 inputs made from impacket's PDUs, in four parts; `make fuzz` runs 200,000 others."""
    assert fuzz.run(INPUTS // BATCHES, seed=batch) == INPUTS // BATCHES


HEADERS = st.tuples(
    st.sampled_from([bytes([5, 0]), bytes([5, 1]), bytes([4, 0])]),
    st.sampled_from([bytes([ptype]) for ptype in Ptype] + [b"\xff"]),
    st.binary(min_size=1, max_size=1),
    st.sampled_from([bytes([0x10, 0, 0, 0]), bytes(4)]),
    st.one_of(st.integers(0, 200), st.integers(0, 0xFFFF)).map(lambda n: n.to_bytes(2, "little")),
    st.sampled_from([bytes(2), b"\x10\0", b"\xff\xff"]),
    st.sampled_from([b"\1\0\0\0", b"\2\0\0\0", b"\xff\xff\xff\xff"]),
    st.binary(max_size=200),
).map(b"".join)


@settings(max_examples=100, deadline=None)
@given(st.lists(HEADERS, max_size=5).map(b"".join), st.integers(0, 1000))
def test_made_up_pdus(data: bytes, seed: int) -> None:
    """Headers that are right enough to be read on, with anything behind them."""
    rng = random.Random(seed)
    fuzz.check(fuzz.an_end(rng), data, rng)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(Role))
def test_anything_at_all(data: bytes, role: Role) -> None:
    """Bytes that nobody meant as PDUs."""
    fuzz.check(Connection(role), data, random.Random(0))


def test_every_vector_is_used() -> None:
    """The mutator begins with all that was captured, and with big-endian ones."""
    assert captured.REQUEST_FRAGMENTS in fuzz.VECTORS
    assert len(fuzz.VECTORS) >= 20


def test_a_failure_names_its_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """An input that breaks something can be run again."""
    monkeypatch.setattr(fuzz, "check_bounds", lambda end, received: 1 / 0)
    with pytest.raises(AssertionError, match=r"input \d+ of seed 3"):
        fuzz.run(100, seed=3)
