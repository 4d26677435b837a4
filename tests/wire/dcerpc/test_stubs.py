"""What holds for all In and Out types alike: round trips, cuts, and bytes that are no stub."""

import inspect
import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.stubs import CLSID, IUNKNOWN, RESOLVER, SAMPLES, refuses_every_cut
from tests.wire.dcerpc import captured_stubs
from vaultstorm_wire.dcerpc import (
    demonstration,
    epm,
    mgmt,
    object_exporter,
    rem_unknown,
    remote_activation,
    scm_activator,
)
from vaultstorm_wire.dcerpc.ndr import NdrError
from vaultstorm_wire.dcerpc.orpc import COMVERSION, OrpcThis
from vaultstorm_wire.dcerpc.syntax import Syntax, guid_of
from vaultstorm_wire.dcerpc.tower import Tower

MODULES = (
    demonstration,
    epm,
    mgmt,
    object_exporter,
    rem_unknown,
    remote_activation,
    scm_activator,
)
MUTATIONS = 50
SEED = 960007
NAMES = sorted(SAMPLES)


def test_every_type_has_a_sample() -> None:
    """No In or Out type of an interface is left out of these tests."""
    types = {
        name
        for module in MODULES
        for name, member in inspect.getmembers(module, inspect.isclass)
        if name.endswith(("In", "Out")) and not name.startswith("Properties")
    }
    assert types == set(SAMPLES)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_encoded_is_decoded(name: str) -> None:
    """A value that is written and read again is the same, however often it is done."""
    sample = SAMPLES[name]
    stub = sample.encode()
    assert sample.decode(stub) == sample
    assert sample.decode(stub).encode() == stub


@pytest.mark.parametrize("name", NAMES)
def test_bytes_behind_a_stub_do_no_harm(name: str) -> None:
    """A stub may be longer than its parameters: fragments are padded."""
    sample = SAMPLES[name]
    assert sample.decode(sample.encode() + bytes(8)) == sample


@pytest.mark.parametrize("name", NAMES)
def test_a_stub_that_is_cut_off_is_refused(name: str) -> None:
    """Whatever byte a stub ends before, it is an NdrError and nothing else."""
    refuses_every_cut(SAMPLES[name].decode, SAMPLES[name].encode())


@pytest.mark.parametrize("name", NAMES)
def test_a_stub_that_was_changed_is_refused_or_understood(name: str) -> None:
    """Changed bytes raise NdrError, or are another value; in both byte orders."""
    chance = random.Random(SEED)
    stub = SAMPLES[name].encode()
    interesting = (0x00, 0x01, 0x7F, 0x80, 0xFF)
    for _ in range(MUTATIONS if stub else 1):
        changed = bytearray(stub)
        for _ in range(chance.randint(1, 4) if stub else 0):
            value = chance.choice((*interesting, chance.randrange(256)))
            changed[chance.randrange(len(changed))] = value
        for little in (True, False):
            with suppress(NdrError):
                SAMPLES[name].decode(bytes(changed), little)


def test_captured_stubs_are_understood() -> None:
    """What another implementation wrote once is read today as it was meant."""
    cid = bytes.fromhex("d15b0f50d99457523f57984a4dcb5e23")
    assert scm_activator.RemoteCreateInstanceIn.decode(
        captured_stubs.REMOTE_CREATE_INSTANCE
    ) == scm_activator.RemoteCreateInstanceIn(
        OrpcThis(COMVERSION, 1, cid), CLSID, (IUNKNOWN,), (7,), 0
    )
    assert remote_activation.RemoteActivationIn.decode(
        captured_stubs.REMOTE_ACTIVATION
    ) == remote_activation.RemoteActivationIn(
        OrpcThis(COMVERSION, 0, bytes(16)), CLSID, (IUNKNOWN,)
    )
    interface = Syntax(guid_of("8e5f1c6a-4b0d-4c57-9d3e-5a7b2f60c9d2"), 1, 2)
    assert epm.EptMapIn.decode(captured_stubs.EPT_MAP) == epm.EptMapIn(
        bytes(16), Tower.tcp(interface, 0, "0.0.0.0"), epm.NULL_HANDLE, 4
    )
    assert object_exporter.ServerAlive2Out.decode(
        captured_stubs.SERVER_ALIVE2_ANSWER
    ) == object_exporter.ServerAlive2Out(COMVERSION, RESOLVER, 0)


@pytest.mark.parametrize(
    "name, stub",
    [
        ("RemoteCreateInstanceIn", captured_stubs.REMOTE_CREATE_INSTANCE),
        ("RemoteActivationIn", captured_stubs.REMOTE_ACTIVATION),
        ("EptMapIn", captured_stubs.EPT_MAP),
        ("ServerAlive2Out", captured_stubs.SERVER_ALIVE2_ANSWER),
    ],
    ids=["activation", "old activation", "map", "alive"],
)
def test_captured_stubs_that_are_cut_off_are_refused(name: str, stub: bytes) -> None:
    """Whatever byte they end before."""
    refuses_every_cut(SAMPLES[name].decode, stub)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.sampled_from(NAMES), st.binary(max_size=600), st.booleans())
def test_any_bytes_are_refused_or_understood(name: str, data: bytes, little: bool) -> None:
    """No bytes at all make a decoder raise anything but NdrError."""
    with suppress(NdrError):
        SAMPLES[name].decode(data, little)
