"""Plans that can be carried out, and others."""

from typing import Any

import pytest

from vaultstorm_client.plan import Plan, check
from vaultstorm_wire.errors import UsageError


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"clients": 1, "requests": 1, "processes": 1},
        {"clients": None, "rate": 0.1, "duration": 0.1},
        {"clients": 2, "processes": 2},
        {"path": "/a?b=c%20d"},
        {"requests": None, "duration": 1.0},
    ],
)
def test_good(options: dict[str, Any]) -> None:
    """A plan that can be carried out comes back."""
    plan = Plan(**options)
    assert check(plan) is plan


@pytest.mark.parametrize(
    "options, option",
    [
        ({"clients": 0}, "--clients 0"),
        ({"requests": 0}, "--requests 0"),
        ({"processes": 0}, "--processes 0"),
        ({"clients": 2, "processes": 3}, "--processes 3"),
        ({"rate": 0.0}, "--rate 0"),
        ({"rate": float("nan")}, "--rate nan"),
        ({"rate": float("inf")}, "--rate inf"),
        ({"clients": None, "rate": 1.0}, "--rate"),
        ({"duration": 0.0}, "--duration"),
        ({"duration": float("inf")}, "--duration"),
        ({"think": -1.0}, "--think"),
        ({"connect_timeout": 0.0}, "--connect-timeout"),
        ({"response_timeout": 0.0}, "--response-timeout"),
        ({"method": "GE T"}, "--method"),
        ({"method": ""}, "--method"),
        ({"method": "GÉT"}, "--method"),
        ({"path": "a"}, "--path"),
        ({"path": ""}, "--path"),
        ({"path": "/a b"}, "%xx"),
        ({"path": "/a\r\nX: y"}, "%xx"),
        ({"path": "/é"}, "%xx"),
    ],
)
def test_bad(options: dict[str, Any], option: str) -> None:
    """One that cannot says which option is wrong."""
    with pytest.raises(UsageError, match=option):
        check(Plan(**options))


@pytest.mark.parametrize(
    "options, spike", [({}, True), ({"ramp": 1.0}, False), ({"rate": 1.0}, False)]
)
def test_spike(options: dict[str, Any], spike: bool) -> None:
    """A burst is a spike unless it is spread."""
    assert Plan(**options).spike is spike
