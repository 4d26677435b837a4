"""What a test asks for, as options of `vaultstorm serve`."""

from pathlib import Path

import pytest

from vaultstorm.testing.options import Wishes, options


@pytest.mark.parametrize(
    "wishes, found",
    [
        ({}, ["--no-rpc"]),
        ({"backlog": None, "overflow": None, "workers": None}, ["--no-rpc"]),
        ({"backlog": 0, "overflow": "drop"}, ["--backlog=0", "--overflow=drop", "--no-rpc"]),
        ({"accept_interval": 0.02}, ["--accept-interval=0.02", "--no-rpc"]),
        ({"accept_interval": "20ms", "workers": 2}, ["--accept-interval=20ms", "--workers=2"]),
        ({"hotfixes": "all"}, ["--hotfix=all", "--no-rpc"]),
        ({"hotfixes": ("KB908739", "KB960007")}, ["--hotfix=KB908739", "--hotfix=KB960007"]),
        ({"tls": False, "rpc": True}, ["--no-tls", "--rpc-port=0"]),
        (
            {"settings": {"apppool.PingInterval": "1s"}},
            ["--no-rpc", "--set=apppool.PingInterval=1s"],
        ),
        ({"settings": {"httpsys.AllowKeepAlive": False}}, ["--set=httpsys.AllowKeepAlive=0"]),
        ({"reg": "kb960007"}, ["--no-rpc", "--reg=kb960007"]),
        ({"reg": [Path("a.reg"), "b.reg"]}, ["--reg=a.reg", "--reg=b.reg"]),
    ],
)
def test_each_wish_is_an_option(wishes: Wishes, found: list[str]) -> None:
    """What is left out, or None, is as the server has it; RPC is served only if asked for."""
    written = options(wishes)
    assert [option for option in written if option in found] == found
    assert len(written) == len({*found, "--rpc-port=0" if wishes.get("rpc") else "--no-rpc"})
