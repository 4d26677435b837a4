"""`vaultstorm probe`: what is shown of a report."""

import json

import pytest

from tests.support.command import vaultstorm
from tests.support.misbehaving import Misbehaving, Peer
from vaultstorm.cli import probe as command
from vaultstorm_client.layers import Layer, Report

FINE = Layer("resolve", "ok", 0.001, {"address": "127.0.0.1:443"})
BROKEN = Layer("tcp", "connect.refused", 0.0005, {"error": "ECONNREFUSED"}, "nobody listens")


def test_text() -> None:
    """A line per layer with what it saw, and the failure's meaning last."""
    assert command.as_text(Report("tcp://127.0.0.1:443", (FINE, BROKEN))).splitlines() == [
        "tcp://127.0.0.1:443",
        "  resolve  ok                           1.0 ms",
        "           address  127.0.0.1:443",
        "  tcp      FAILED connect.refused       0.5 ms",
        "           error  ECONNREFUSED",
        "",
        "tcp fails with connect.refused: nobody listens",
    ]


def test_all_fine() -> None:
    """Without a failure, that is what is said."""
    assert command.as_text(Report("tcp://x:1", (FINE,))).endswith("\nevery layer works")


def test_what_a_peer_sent_cannot_reach_the_terminal() -> None:
    """Control characters, as in a certificate's subject, are shown and not obeyed."""
    evil = Layer("tls", "ok", 0.0, {"subject": "CN=\x1b]0;evil\x07"})
    assert "\x1b" not in command.as_text(Report("https://x", (evil,)))


def test_json() -> None:
    """The JSON has every layer with its outcome, and a meaning only for a failure."""
    made = command.as_json(Report("tcp://127.0.0.1:443", (FINE, BROKEN)))
    assert made == {
        "schema": 1,
        "target": "tcp://127.0.0.1:443",
        "ok": False,
        "layers": [
            {
                "layer": "resolve",
                "outcome": "ok",
                "ms": 1.0,
                "seen": {"address": "127.0.0.1:443"},
            },
            {
                "layer": "tcp",
                "outcome": "connect.refused",
                "ms": 0.5,
                "seen": {"error": "ECONNREFUSED"},
                "means": "nobody listens",
            },
        ],
    }


def test_a_pool_that_hangs() -> None:
    """A server that takes the request and says nothing is told apart, with what to do."""
    with Misbehaving(Peer.silence) as server:
        ended = vaultstorm("probe", f"http://127.0.0.1:{server.port}", "--timeout=200ms")
    assert ended.returncode == 1
    last = ended.stdout.splitlines()[-1]
    assert last.startswith(
        "http fails with wait.timeout: TCP connects, the request was sent, nothing came back: "
        "the pool hangs"
    )
    assert "ctl iisreset" in last


@pytest.mark.parametrize("written, allowed", [("1ms", True), ("0.9ms", False), ("3601", False)])
def test_timeout(written: str, allowed: bool) -> None:
    """The timeout of a layer has a range."""
    ended = vaultstorm("probe", f"http://{'x' * 64}", "--timeout", written, "--json", "-")
    if allowed:
        assert ended.returncode == 1
        assert json.loads(ended.stdout)["layers"][0]["outcome"] == "resolve.failed"
    else:
        assert ended.returncode == 2
        assert "is out of range: 1 ms to 3600 s" in ended.stderr


def test_an_rpc_server_that_turns_everybody_away() -> None:
    """What a Windows client would show stands beside the outcome, and exit 1 says it fails."""
    with Misbehaving(Peer.reset) as server:
        ended = vaultstorm("probe", f"rpc://127.0.0.1:{server.port}", "--json=-")
    assert ended.returncode == 1
    failed = json.loads(ended.stdout)["layers"][-1]
    assert (failed["layer"], failed["outcome"]) == ("bind", "bind.reset")
    assert failed["seen"]["Windows"] == (
        "0x800706BF The remote procedure call failed and did not execute."
    )
    assert "KB960007" in failed["means"]
