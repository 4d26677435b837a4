"""Asking a control plane, and what goes wrong with it."""

from collections.abc import Iterator

import pytest

from tests.support.plane import Plane, running_plane
from vaultstorm.control import Refused, ask
from vaultstorm_wire.errors import MachineError, UsageError


@pytest.fixture
def plane() -> Iterator[Plane]:
    """Run a control plane in a thread."""
    with running_plane() as server:
        yield server


def test_refusal(plane: Plane) -> None:
    """What the server says against it is handed on."""
    plane.status, plane.body = 404, b'{"error": "no such action"}'
    with pytest.raises(MachineError, match="answers 404 to POST /x: no such action") as caught:
        ask(plane.url, "POST", "/x")
    assert not isinstance(caught.value, Refused)
    plane.body = b"[1]"
    with pytest.raises(MachineError, match="answers 404"):
        ask(plane.url, "POST", "/x")


def test_what_cannot_be_done_now_is_an_error_of_its_own(plane: Plane) -> None:
    """409 is a server that knows the action, and cannot do it as things stand."""
    plane.status, plane.body = 409, b'{"error": "no worker serves"}'
    with pytest.raises(Refused, match="answers 409 to POST /worker/kill: no worker serves"):
        ask(plane.url, "POST", "/worker/kill")


def test_somebody_else(plane: Plane) -> None:
    """Something that is no control plane is named as that."""
    plane.body = b"<html>"
    with pytest.raises(MachineError, match="not the control plane of a vaultstorm server"):
        ask(plane.url, "GET", "/status")


def test_too_slow(plane: Plane) -> None:
    """A control plane that does not answer is given up."""
    plane.shutdown()
    with pytest.raises(MachineError, match=r"does not answer within 0\.05 s"):
        ask(plane.url, "GET", "/status", timeout=0.05)


@pytest.mark.parametrize(
    "admin", ["", "x", "127.0.0.1:8079", "https://127.0.0.1", "http://", "http://h:x", "http://h/p"]
)
def test_no_control_plane_url(admin: str) -> None:
    """A URL of another kind is wrong usage, with the right form."""
    with pytest.raises(UsageError, match="write it as http://127"):
        ask(admin, "GET", "/status")


def test_name_that_does_not_resolve() -> None:
    """A host without an address ends with a sentence."""
    with pytest.raises(MachineError, match="cannot be asked"):
        ask(f"http://{'x' * 64}", "GET", "/status")
