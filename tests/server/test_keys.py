"""What is known of each key."""

from vaultstorm_server.keys import describe, known


def test_sections_are_in_the_order_of_the_settings() -> None:
    """Those of an AppID stand for every one, and come last."""
    assert list(known()) == ["afd", "tcpip", "httpsys", "apppool", "vault", "rpc", "AppID.{guid}"]
    assert describe()[-1].path == "AppID.{guid}.RpcProtSeqMaxCalls"
    assert [key.section for key in describe()] == [
        section for section, keys in known().items() for _ in keys
    ]


def test_a_key_has_its_default_unit_and_range_as_they_are_written() -> None:
    """In the unit of a bare number."""
    keys = {key.path: key for key in describe()}
    restart = keys["apppool.PeriodicRestartTime"]
    assert (restart.default, restart.unit, restart.range) == ("1740", "min", "0 to 71582 min")
    calls = keys["AppID.{guid}.RpcProtSeqMaxCalls"]
    assert (calls.default, calls.unit, calls.range) == ("10", "", "0 to 4294967295")
    overflow = keys["tcpip.Overflow"]
    assert (overflow.default, overflow.range) == ("windows", "windows, reset, refuse or drop")
