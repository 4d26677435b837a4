"""Plans that can be carried out, and others."""

from typing import Any

import pytest

from vaultstorm_client.plan import Plan, check, check_target
from vaultstorm_client.target import parse
from vaultstorm_wire.errors import UsageError

GUID = "{8E5F1C6A-4B0D-4C57-9D3E-5A7B2F60C9D1}"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"clients": 1, "requests": 1, "processes": 1},
        {"clients": None, "rate": 0.1, "duration": 0.1},
        {"clients": 2, "processes": 2},
        {"path": "/a?b=c%20d"},
        {"calls": 0},
        {"calls": 1000},
        {"clsid": GUID},
        {"clsid": GUID.strip("{}").lower()},
        {"requests": None, "duration": 1.0},
        {"workload": "agent"},
        {"workload": "agent", "lanes": 1, "blocks": 1, "block_sizes": "1"},
        {"workload": "agent", "lanes": 256, "blocks": 1000, "block_sizes": "16MiB*9,1"},
        {"workload": "agent", "ramp": 1.0, "think": 1.0, "requests": None, "duration": 1.0},
        {"workload": "agent", "keep_alive": False, "processes": 2},
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
        ({"clsid": ""}, "--clsid: '' is not a guid"),
        ({"clsid": GUID[1:]}, "--clsid: .* is not a guid"),
        ({"calls": -1}, "--calls -1: 0 for activations alone"),
        ({"bind_timeout": 0.0}, "--bind-timeout"),
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
        ({"workload": "agents"}, "status or agent"),
        ({"lanes": 2}, "--lanes 2: .*--workload agent"),
        ({"blocks": 2}, "--blocks 2: .*--workload agent"),
        ({"block_sizes": "1"}, "--block-sizes 1: .*--workload agent"),
        ({"workload": "agent", "lanes": 0}, "--lanes 0: at least 1"),
        ({"workload": "agent", "lanes": 257}, "--lanes 257: at most 256"),
        ({"workload": "agent", "blocks": 0}, "--blocks 0: at least 1"),
        ({"workload": "agent", "blocks": 1001}, "--blocks 1001: at most 1000"),
        ({"workload": "agent", "block_sizes": "big"}, "--block-sizes: 'big' is not a size"),
        ({"workload": "agent", "block_sizes": "17MiB"}, "--block-sizes: .*16MiB"),
        ({"workload": "agent", "rate": 5.0}, "--rate 5.0: agents are --clients"),
        ({"workload": "agent", "path": "/x"}, "--path /x: .*the URL's"),
        ({"workload": "agent", "method": "PUT"}, "--method PUT: an agent knows"),
        ({"workload": "agent", "body_size": 1}, "--body-size 1: .*--block-sizes"),
    ],
)
def test_bad(options: dict[str, Any], option: str) -> None:
    """One that cannot says which option is wrong."""
    with pytest.raises(UsageError, match=option):
        check(Plan(**options))


@pytest.mark.parametrize(
    "url, said",
    [
        ("tcp://127.0.0.1:1", "https:// or http://"),
        ("http://127.0.0.1:1/vault?x", "no query"),
    ],
)
def test_targets_of_agents(url: str, said: str) -> None:
    """Agents need HTTP and a path that others can be put behind; others do not."""
    aim = parse(url)
    check_target(Plan(), aim)
    with pytest.raises(UsageError, match=said):
        check_target(Plan(workload="agent"), aim)
    check_target(Plan(workload="agent"), parse("http://127.0.0.1:1/vault/"))


@pytest.mark.parametrize(
    "options, said",
    [
        ({"path": "/x"}, "--path /x: an rpc:// target has none"),
        ({"method": "PUT"}, "--method PUT: an rpc:// target has none"),
        ({"body_size": 1}, "--body-size 1: an rpc:// target has none"),
        ({"workload": "agent"}, "agents speak HTTP"),
    ],
)
def test_targets_without_http(options: dict[str, Any], said: str) -> None:
    """An rpc:// target is not asked for paths, methods or bodies, and is no vault."""
    with pytest.raises(UsageError, match=said):
        check_target(Plan(**options), parse("rpc://127.0.0.1"))


def test_calls_need_an_rpc_target() -> None:
    """Others have no calls that could follow an activation."""
    plan = Plan(calls=2)
    check_target(plan, parse("rpc://127.0.0.1"))
    with pytest.raises(UsageError, match="--calls 2: that is for rpc:// targets"):
        check_target(plan, parse("http://127.0.0.1"))
    with pytest.raises(UsageError, match=r"--clsid .*: that is for rpc:// targets"):
        check_target(Plan(clsid=GUID), parse("https://127.0.0.1"))


@pytest.mark.parametrize(
    "options, spike", [({}, True), ({"ramp": 1.0}, False), ({"rate": 1.0}, False)]
)
def test_spike(options: dict[str, Any], spike: bool) -> None:
    """A burst is a spike unless it is spread."""
    assert Plan(**options).spike is spike
