"""The settings of RPC and COM."""

import pytest

from vaultstorm_server.rpc_settings import MAX_CALLS_DEFAULT, MAX_CALLS_MAX, AppId, Rpc


def test_the_defaults_are_those_of_server_2003() -> None:
    """windows.md and MS-DCOM name the sources."""
    rpc = Rpc()
    assert AppId().RpcProtSeqMaxCalls == MAX_CALLS_DEFAULT == 10  # KB960007
    assert MAX_CALLS_MAX == 100  # KB960007
    assert rpc.KB960007 == 0
    assert rpc.CallLimit == 1234  # RPC_C_LISTEN_MAX_CALLS_DEFAULT
    assert (rpc.PingPeriod, rpc.PingMisses) == (120, 3)  # MS-DCOM
    assert rpc.MaxFragment == 5840


@pytest.mark.parametrize(
    "ports, ranges",
    [
        ("", ()),
        ("5000", (range(5000, 5001),)),
        ("5000-5010", (range(5000, 5011),)),
        ("5010-5000", (range(5000, 5011),)),
        (" 5000 - 5010 , 1,65535 ", (range(5000, 5011), range(1, 2), range(65535, 65536))),
    ],
)
def test_ports_are_read_as_ranges(ports: str, ranges: tuple[range, ...]) -> None:
    """In their order, both ends included, whichever comes first."""
    assert Rpc(Ports=ports).port_ranges == ranges
