"""What of a registry export becomes a setting."""

import pytest

from vaultstorm_server import configuration
from vaultstorm_server.registry import IGNORED_MAX, Registry, read
from vaultstorm_server.settings import AppId, Settings
from vaultstorm_wire.errors import UsageError

GUID = "8e5f1c6a-4b0d-4c57-9d3e-5a7b2f60c9d1"
APPID = rf"HKEY_CLASSES_ROOT\AppID\{{{GUID.upper()}}}"
SYSTEM = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services"
AFD = rf"{SYSTEM}\AFD\Parameters"


def export(*keys: str) -> bytes:
    """Write a file; each key with its values, one a line."""
    body = ["[" + key.replace(":", "]\n", 1) for key in keys]
    return ("Windows Registry Editor Version 5.00\n\n" + "\n\n".join(body) + "\n").encode()


def exports(*files: bytes) -> Registry:
    """Read files, one after the other."""
    return read((f"{number}.reg", data) for number, data in enumerate(files, 1))


def settings(*files: bytes) -> Settings:
    """Give the settings that files make, without anything ignored."""
    found = exports(*files)
    assert found.ignored == []
    return configuration.load(None, (), found.given)


def test_the_keys_of_the_article() -> None:
    """AFD, Tcpip and AppID, in any case, as REG_DWORD."""
    found = settings(
        export(
            f'{AFD}:"EnableDynamicBacklog"=dword:1\n"minimumdynamicbacklog"=dword:14\n'
            '"MaximumDynamicBacklog"=dword:4e20\n"DynamicBacklogGrowthDelta"=dword:a',
            f'{SYSTEM.lower()}\\tcpip\\parameters:"SynAttackProtect"=dword:0\n'
            '"TcpMaxPortsExhausted"=dword:5',
            f'{APPID}:"RpcProtSeqMaxCalls"=dword:64',
        )
    )
    afd = found.afd
    assert (afd.EnableDynamicBacklog, afd.MinimumDynamicBacklog) == (1, 20)
    assert (afd.MaximumDynamicBacklog, afd.DynamicBacklogGrowthDelta) == (20000, 10)
    assert (found.tcpip.SynAttackProtect, found.tcpip.TcpMaxPortsExhausted) == (0, 5)
    assert found.AppID == {GUID: AppId(100)}


@pytest.mark.parametrize(
    "key",
    [
        r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\AFD\Parameters",
        r"HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Services\Afd\Parameters",
        r"hkey_local_machine\system\controlset002\services\afd\parameters",
    ],
)
def test_a_control_set_may_be_any(key: str) -> None:
    """The current one, or one by its number."""
    assert settings(export(f'{key}:"EnableDynamicBacklog"=dword:1')).afd.EnableDynamicBacklog == 1


def test_an_appid_has_two_places() -> None:
    """HKEY_CLASSES_ROOT shows what is under SOFTWARE\\Classes."""
    classes = rf"HKEY_LOCAL_MACHINE\SOFTWARE\Classes\AppID\{{{GUID}}}"
    value = ':"RpcProtSeqMaxCalls"=dword:'
    assert settings(export(f"{classes}{value}32")).AppID == {GUID: AppId(50)}
    assert settings(export(f"{APPID}{value}32", f"{classes}{value}33")).AppID == {GUID: AppId(51)}
    assert settings(export(f"{APPID}{value}32", f"-{classes}:")).AppID == {}


def test_http_has_its_documented_values() -> None:
    """KB820129 and KB820729; those that mean something else here are ignored."""
    key = rf"{SYSTEM}\HTTP\Parameters"
    found = exports(
        export(
            f'{key}:"MaxFieldLength"=dword:8000\n"MaxRequestBytes"=dword:8000\n'
            '"EnableErrorLogging"=dword:0\n"MaxConnections"=dword:5\n"ErrorLoggingDir"="c:\\\\x"'
        )
    )
    http = configuration.load(None, (), found.given).httpsys
    assert (http.MaxFieldLength, http.MaxRequestBytes, http.EnableErrorLogging) == (32768, 32768, 0)
    assert found.ignored == [
        rf"1.reg: {key}\MaxConnections",
        rf"1.reg: {key}\ErrorLoggingDir",
    ]


def test_the_last_value_wins() -> None:
    """Within a file and over files, as regedit imports them."""
    one, two, three = (
        export(f'{AFD}:"MinimumDynamicBacklog"=dword:{value}') for value in (1, 2, 3)
    )
    assert settings(one, two).afd.MinimumDynamicBacklog == 2
    assert settings(one, three, two).afd.MinimumDynamicBacklog == 2


def test_what_is_deleted_has_its_default() -> None:
    """A value, a key, and a key above it; what comes later is there again."""
    set_up = export(f'{AFD}:"MinimumDynamicBacklog"=dword:5\n"MaximumDynamicBacklog"=dword:6')
    value = settings(set_up, export(f'{AFD}:"minimumDynamicBacklog"=-')).afd
    assert (value.MinimumDynamicBacklog, value.MaximumDynamicBacklog) == (0, 6)
    for key in (AFD, rf"{SYSTEM}\AFD", SYSTEM.upper()):
        assert settings(set_up, export(f"-{key}:")) == Settings()
    for key in (rf"{AFD}\Below", AFD[:-1], rf"{SYSTEM}\Tcpip"):
        assert settings(set_up, export(f"-{key}:")).afd.MinimumDynamicBacklog == 5
    again = export(f"-{AFD}:", f'{AFD}:"MinimumDynamicBacklog"=dword:7')
    assert settings(set_up, again).afd.MaximumDynamicBacklog == 0
    assert settings(set_up, again).afd.MinimumDynamicBacklog == 7
    assert settings(export(f'{AFD}:"MinimumDynamicBacklog"=-')) == Settings()


def test_everything_else_is_named_and_ignored() -> None:
    """A key once, with how many values it has; a value of a key that is known by its name."""
    found = exports(
        export(
            'HKEY_CURRENT_USER\\Software\\X:"a"=dword:1\n"b"="2"',
            f'{AFD}:"DefaultReceiveWindow"=dword:1\n"EnableDynamicBacklog"="1"\n@="x"',
            f'{APPID}:"LocalService"="x"',
            r'HKEY_CLASSES_ROOT\AppID\vault.exe:"AppID"="{0}"',
            "HKEY_CLASSES_ROOT\\AppID\\{" + "-" * 36 + '}:"RpcProtSeqMaxCalls"=dword:1',
        )
    )
    assert found.given == []
    assert found.ignored == [
        r"1.reg: HKEY_CURRENT_USER\Software\X: 2 values",
        rf"1.reg: {AFD}\DefaultReceiveWindow",
        rf"1.reg: {AFD}\EnableDynamicBacklog, which is no REG_DWORD",
        rf"1.reg: {AFD}\(Default)",
        rf"1.reg: {APPID}\LocalService",
        r"1.reg: HKEY_CLASSES_ROOT\AppID\vault.exe",
        "1.reg: HKEY_CLASSES_ROOT\\AppID\\{" + "-" * 36 + "}",
    ]


@pytest.mark.parametrize("more", [0, 1, 5000])
def test_what_is_ignored_is_counted_in_the_end(more: int) -> None:
    """A whole registry is no whole log."""
    keys = [f'HKEY_USERS\\{number}:"a"=dword:1' for number in range(IGNORED_MAX + more)]
    ignored = exports(export(*keys)).ignored
    assert len(ignored) == IGNORED_MAX + bool(more)
    assert (ignored[-1] == f"and {more} more") is bool(more)


def test_a_value_out_of_range_is_told_its_line() -> None:
    """Windows 2000's SynAttackProtect of 2 is none of Server 2003's."""
    found = exports(export(f'{SYSTEM}\\Tcpip\\Parameters:"SynAttackProtect"=dword:2'))
    with pytest.raises(UsageError) as told:
        configuration.load(None, (), found.given)
    assert str(told.value) == ("1.reg, line 4: tcpip.SynAttackProtect = 2 is out of range: 0 to 1")


def test_a_file_that_is_none_is_named() -> None:
    """With the others before it read."""
    with pytest.raises(UsageError, match=r"^2\.reg, line 1: "):
        exports(export(), b"[afd]")


def test_weaker_than_a_file_of_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Defaults, then the registry, then the file, then the command line."""
    registry = export(
        f'{AFD}:"MinimumDynamicBacklog"=dword:1\n"MaximumDynamicBacklog"=dword:1\n'
        '"DynamicBacklogGrowthDelta"=dword:1'
    )
    file = tmp_path_factory.mktemp("toml") / "server.toml"
    file.write_text("[afd]\nMaximumDynamicBacklog = 2\nDynamicBacklogGrowthDelta = 2\n")
    given = exports(registry).given
    afd = configuration.load(file, ["afd.DynamicBacklogGrowthDelta=3"], given).afd
    assert afd.MinimumDynamicBacklog == 1
    assert afd.MaximumDynamicBacklog == 2
    assert afd.DynamicBacklogGrowthDelta == 3
