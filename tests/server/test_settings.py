"""The defaults are the documented ones."""

import msgspec
import pytest

from vaultstorm_server.settings import Settings, Tcpip


def test_the_defaults_are_those_of_server_2003() -> None:
    """windows.md names the source of each."""
    settings = Settings()
    assert settings.afd.Backlog == 10  # RPC_C_PROTSEQ_MAX_REQS_DEFAULT, KB960007
    assert settings.afd.EnableDynamicBacklog == 0  # KB142641
    assert settings.httpsys.MaxFieldLength == settings.httpsys.MaxRequestBytes == 16384  # KB820129
    assert settings.httpsys.ConnectionTimeout == 120  # ms525597
    assert settings.httpsys.MinBytesPerSecond == 240  # cc738006
    assert settings.apppool.AppPoolQueueLength == 1000  # SP1


def test_every_default_is_within_its_own_range() -> None:
    """What a user could not set is no default either."""
    assert msgspec.convert(msgspec.to_builtins(Settings()), Settings) == Settings()


@pytest.mark.parametrize(
    "tcpip, style",
    [
        (Tcpip(), "reset"),
        (Tcpip(SynAttackProtect=0), "refuse"),
        (Tcpip(SynAttackProtect=0, Overflow="reset"), "reset"),
        (Tcpip(Overflow="drop"), "drop"),
        (Tcpip(TcpMaxPortsExhausted=1), "exhausted"),
        (Tcpip(TcpMaxPortsExhausted=5, SynAttackProtect=0), "refuse"),
        (Tcpip(TcpMaxPortsExhausted=5, Overflow="reset"), "reset"),
    ],
)
def test_the_overflow_style_follows_syn_attack_protect_unless_named(
    tcpip: Tcpip, style: str
) -> None:
    """SP1 and later: handshake, then RST. Before, or with protection off: RST to the SYN.

    Windows 2000's TcpMaxPortsExhausted has protection wait.
    """
    assert tcpip.style == style
