"""`vaultstorm serve`: what its options become."""

import json
import subprocess
from pathlib import Path

import pytest
import structlog

from tests.support.command import command as command_line
from tests.support.command import environment, vaultstorm
from vaultstorm.cli import serve as command
from vaultstorm_server.configuration import describe
from vaultstorm_server.hotfixes import ALL, HOTFIXES
from vaultstorm_server.settings import Settings
from vaultstorm_wire.errors import MachineError

HOME = {"HOME": "/home/u"}


@pytest.mark.parametrize(
    "environ, path",
    [
        (HOME, "/home/u/.local/share/vaultstorm/tls"),
        ({**HOME, "XDG_DATA_HOME": ""}, "/home/u/.local/share/vaultstorm/tls"),
        ({**HOME, "XDG_DATA_HOME": "relative"}, "/home/u/.local/share/vaultstorm/tls"),
        ({**HOME, "XDG_DATA_HOME": "/data"}, "/data/vaultstorm/tls"),
    ],
)
def test_default_tls_dir(environ: dict[str, str], path: str) -> None:
    """Certificates are kept in the user's data directory; a relative one does not count."""
    assert command.default_tls_dir(environ) == Path(path)


def test_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a home is told the option."""

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(MachineError, match="--tls-dir"):
        command.default_tls_dir({})


def test_help_says_the_defaults_of_the_settings() -> None:
    """The defaults in the help are those that the settings have."""
    text = " ".join(vaultstorm("serve", "--help").stdout.split())
    defaults = Settings()
    assert f"(afd.Backlog). [default: {defaults.afd.Backlog}]" in text
    assert f"(afd.AcceptInterval). [default: {defaults.afd.AcceptInterval:g}]" in text
    assert f"(apppool.MaxProcesses). [default: {defaults.apppool.MaxProcesses}]" in text
    assert f"SynAttackProtect, {defaults.tcpip.style}]" in text
    assert f"{', '.join(HOTFIXES)}, or {ALL}; repeatable" in text


def test_a_server_that_is_to_end_with_its_standard_input_needs_one_that_ends() -> None:
    """Of /dev/null nobody can wait for the end: said before anything is started."""
    ended = vaultstorm("serve", "--until-eof", "--port=0", "--rpc-port=0", "--admin-port=0")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "--until-eof needs a pipe" in ended.stderr


def test_help_settings_lists_all() -> None:
    """The table has a line for every key, with what is allowed."""
    lines = command.settings_table().splitlines()
    assert len(lines) == 1 + len(describe())
    (line,) = [line for line in lines if line.startswith("afd.Backlog ")]
    assert "1 to 65535" in line
    assert "listen()" in line


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("--cert", __file__), "go together"),
        (("--key", __file__), "go together"),
        (("--no-tls", "--cert", __file__, "--key", __file__), "contradict"),
        (("--cert", "no-such.pem", "--key", __file__), "no-such.pem"),
        (("--no-rpc", "--rpc-port", "0"), "contradict"),
        (("--reg", "no.reg"), "cannot read no.reg: No such file or directory; the library has kb"),
        (("--reg", __file__), "line 1: a registry file begins with"),
    ],
)
def test_options_that_will_not_do(arguments: tuple[str, ...], said: str) -> None:
    """Half of a pair, a contradiction and a file that is not there or is none are wrong usage."""
    ended = vaultstorm("serve", *arguments)
    assert ended.returncode == 2
    assert said in ended.stderr


class Taken:
    """Stands in for the server: keeps what it was asked for."""

    def __init__(self) -> None:
        self.options: list[object] = []

    def __call__(self, options: object) -> int:
        """Keep `options`, and end as a server does that was stopped."""
        self.options.append(options)
        return 0


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Taken:
    """Run `serve` up to where the server would begin, and leave the logs alone."""
    from vaultstorm.cli import logs
    from vaultstorm_server import front

    stand_in = Taken()
    monkeypatch.setattr(front, "serve", stand_in)
    monkeypatch.setattr(logs, "setup", lambda: None)
    return stand_in


def test_options_become_settings(taken: Taken, tmp_path: Path) -> None:
    """Options win over --set, --set over the file, the file over the defaults."""
    from vaultstorm_server.front import ServeOptions

    file = tmp_path / "server.toml"
    file.write_text("[afd]\nBacklog = 1\nSlack = 1\nMaximumStaticBacklog = 100\n")
    status = command.serve(
        port=0,
        backlog=50,
        overflow=command.Overflow.DROP,
        accept_interval="20ms",
        workers=3,
        config=file,
        assignments=["afd.Backlog=40", "afd.Slack=2"],
        no_tls=True,
        tls_dir=tmp_path,
        journal=tmp_path / "journal",
        admin_port=0,
    )
    assert status == 0
    (options,) = taken.options
    assert isinstance(options, ServeOptions)
    settings = options.settings
    assert (settings.afd.Backlog, settings.afd.Slack) == (50, 2)
    assert settings.afd.MaximumStaticBacklog == 100
    assert settings.afd.AcceptInterval == pytest.approx(0.02)
    assert settings.tcpip.style == "drop"
    assert settings.apppool.MaxProcesses == 3
    assert settings.httpsys.TLS == 0
    assert (options.host, options.port, options.admin_port) == ("127.0.0.1", 0, 0)
    assert (options.tls_dir, options.journal) == (tmp_path, tmp_path / "journal")


@pytest.mark.parametrize(
    "name, installed",
    [
        ("KB908739", (1, 0, 0)),
        ("kb960007", (0, 1, 0)),
        ("tech39579", (0, 0, 1)),
        ("all", (1, 1, 1)),
    ],
)
def test_a_hotfix_is_a_setting(taken: Taken, name: str, installed: tuple[int, int, int]) -> None:
    """It wins over --set, as every option that stands for a key."""
    from vaultstorm_server.front import ServeOptions

    zeros = ["httpsys.KB908739=0", "rpc.KB960007=0", "vault.TECH39579=0"]
    command.serve(hotfixes=[name, name], assignments=zeros)
    (options,) = taken.options
    assert isinstance(options, ServeOptions)
    given = options.settings
    assert installed == (given.httpsys.KB908739, given.rpc.KB960007, given.vault.TECH39579)


def test_an_unknown_hotfix_is_told_the_known_ones() -> None:
    """It is wrong usage, said before anything is started."""
    ended = vaultstorm("serve", "--hotfix", "KB1")
    assert ended.returncode == 2
    assert "there are KB908739, KB960007, TECH39579 and all" in ended.stderr


def test_no_options_are_the_defaults(taken: Taken) -> None:
    """Nothing asked for is the defaults, on the port of the articles."""
    from vaultstorm_server.front import ServeOptions

    command.serve()
    (options,) = taken.options
    assert isinstance(options, ServeOptions)
    assert options.settings == Settings()
    assert (options.host, options.port, options.admin_port) == ("127.0.0.1", 443, 8079)
    assert (options.rpc_port, options.rpc_asked) == (135, False)
    assert options.tls_dir.parts[-2:] == ("vaultstorm", "tls")


@pytest.mark.parametrize(
    "port, no_rpc, given",
    [(None, False, (135, False)), (None, True, (None, False)), (135, False, (135, True))]
    + [(port, False, (port, True)) for port in (0, 65535)],
)
def test_the_port_of_rpc(
    taken: Taken, port: int | None, no_rpc: bool, given: tuple[int | None, bool]
) -> None:
    """One that is asked for is told from the one that is only tried."""
    from vaultstorm_server.front import ServeOptions

    command.serve(rpc_port=port, no_rpc=no_rpc)
    (options,) = taken.options
    assert isinstance(options, ServeOptions)
    assert (options.rpc_port, options.rpc_asked) == given


def test_registry_exports_are_weaker_than_everything_else(taken: Taken, tmp_path: Path) -> None:
    """The library's, then a file, then --config, then --set; what is ignored is logged."""
    from vaultstorm_server.front import ServeOptions

    exported = tmp_path / "mine.reg"
    exported.write_text(
        "REGEDIT4\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\AFD\\Parameters]\n"
        '"DynamicBacklogGrowthDelta"=dword:b\n"MaximumDynamicBacklog"=dword:b\n"X"=dword:1\n'
        '"MinimumDynamicBacklog"=dword:b\n'
    )
    config = tmp_path / "server.toml"
    config.write_text("[afd]\nMaximumDynamicBacklog = 12\nMinimumDynamicBacklog = 12\n")
    with structlog.testing.capture_logs() as logged:
        command.serve(
            registry=["KB960007", str(exported)],
            config=config,
            assignments=["afd.MinimumDynamicBacklog=13"],
        )
    (options,) = taken.options
    assert isinstance(options, ServeOptions)
    afd = options.settings.afd
    assert (afd.EnableDynamicBacklog, afd.DynamicBacklogGrowthDelta) == (1, 11)
    assert (afd.MaximumDynamicBacklog, afd.MinimumDynamicBacklog) == (12, 13)
    assert [each.RpcProtSeqMaxCalls for each in options.settings.AppID.values()] == [100]
    (ignored,) = [entry["entry"] for entry in logged if entry["event"] == "registry_ignored"]
    assert ignored.endswith("AFD\\Parameters\\X")


def test_settings_without_effect_are_logged(taken: Taken) -> None:
    """What will silently do nothing is said in the log, once, before the server begins."""
    with structlog.testing.capture_logs() as logged:
        command.serve(assignments=["afd.EnableDynamicBacklog=1"], backlog=201)
    assert {entry["event"] for entry in logged} == {"setting_without_effect"}
    assert any("MaximumStaticBacklog" in entry["notice"] for entry in logged)


def test_from_the_ready_line_to_the_end(tmp_path: Path) -> None:
    """A server says where it is; ctl and probe find it there; SIGTERM ends it with 0."""
    line = command_line(
        *("serve", "--port", "0", "--admin-port", "0"),
        *("--tls-dir", str(tmp_path / "tls"), "--journal", str(tmp_path / "journal")),
    )
    with subprocess.Popen(line, stdout=subprocess.PIPE, env=environment()) as server:
        assert server.stdout is not None
        try:
            ready = json.loads(server.stdout.readline())
            status = vaultstorm("ctl", "status", "--admin", ready["admin"], "--json", "-")
            assert json.loads(status.stdout)["pid"] == ready["pid"] == server.pid
            good = vaultstorm("probe", f"{ready['url']}/AeXRSVault/status", "--ca", ready["ca"])
            assert good.returncode == 0, good.stdout
            vaultstorm("ctl", "gate", "closed", "--admin", ready["admin"])
            held = vaultstorm("probe", ready["url"], "--ca", ready["ca"], "--timeout", "200ms")
            assert "tls.timeout" in held.stdout
        finally:
            server.terminate()
        assert server.wait(timeout=30) == 0
        assert server.stdout.read() == b""
