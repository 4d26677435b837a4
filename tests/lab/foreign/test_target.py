"""`[target]`: what it says, and how everything that is wrong in it is named."""

import signal
from pathlib import Path

import pytest

from tests.lab.foreign.tiny import HEAD, VARIANT, scenario
from vaultstorm import runner
from vaultstorm.foreign import target
from vaultstorm.scenario import load
from vaultstorm_wire.errors import UsageError

COMMAND = '[target]\ncommand = ["server", "{port}"]\n'
URL = '[target]\nurl = "https://10.0.0.5:8443"\n'


def refused(directory: Path, text: str) -> str:
    """Load what has to be refused, and give the sentence after the file's name."""
    path = scenario(directory, text)
    with pytest.raises(UsageError) as caught:
        load(path)
    return str(caught.value).removeprefix(str(path)).lstrip(",: ")


def test_the_keys_of_a_variant_take_the_place_of_the_scenarios(tmp_path: Path) -> None:
    """Of `env` and `files` name by name."""
    text = f"""{HEAD}{COMMAND}ready = "/up"
[target.env]
A = "1"
B = "2"
{VARIANT}target = {{ command = ["other"], env = {{ B = "3" }}, ready_timeout = "1min" }}
"""
    read = load(scenario(tmp_path, text))
    made = read.served_by(read.variants[0])
    assert made is not None
    assert (made.command, made.ready, made.patience) == (("other",), "/up", 60.0)
    assert made.env == {"A": "1", "B": "3"}
    assert read.variants[0].options["target"]["command"] == ["other"]
    assert read.plan(read.variants[0], 1).path == "/"


@pytest.mark.parametrize(
    "text, said",
    [
        ("target = 1\n" + HEAD, "target: expected `object`, got `int`"),
        (f"{HEAD}[target]\nready = '/'\n", "[variants.only.target]: give either command or url"),
        (f"{HEAD}{COMMAND}url = 'http://h'\n", "[variants.only.target]: give either command or"),
        (f"{HEAD}[target]\ncomand = []\n", "[target]: there is no key comand; did you mean comm"),
        (f"{HEAD}[target]\ncommand = 'x'\n", "[variants.only.target]: command: expected `arr"),
        (f"{HEAD}[target]\ncommand = ['']\n", "[variants.only.target]: command: its first word"),
        (f"{HEAD}[target]\ncommand = ['{{x}}']\n", "[variants.only.target]: command: '{x}' nam"),
        (
            f"{HEAD}[target]\ncommand = ['a\\u0000']\n".replace("'", '"'),
            "[variants.only.target]: a",
        ),
        (f"{HEAD}[target]\n", "[target]: give either command or url"),
        (f'{HEAD}{COMMAND}files = {{ "a\\u0000" = "" }}\n', "[variants.only.target]: a NUL"),
        (f'{HEAD}{COMMAND}env = {{ "A=B" = "" }}\n', "[variants.only.target]: env: 'A=B' can"),
        (
            f"{HEAD}{COMMAND}ready = '/\N{LATIN SMALL LETTER E WITH ACUTE}'\n",
            "[variants.only.target]: ready = '/",
        ),
        (f"{HEAD}{COMMAND}access_log_format = '$1'\n", "[variants.only.target]: access_log_form"),
        (f"{HEAD}{COMMAND}version = ['{{pid}}']\n", "[variants.only.target]: version: '{pid}'"),
        (f"{HEAD}{COMMAND}access_log = '{{di}}'\n", "[variants.only.target]: access_log: '{di}'"),
        (f"{HEAD}{COMMAND}env = 3\n", "[target]: env: has to be a table"),
        (f"{HEAD}{COMMAND}env = {{ A = '{{prt}}' }}\n", "[variants.only.target]: env: '{prt}' n"),
        (f"{HEAD}{COMMAND}ready = 'up'\n", "[variants.only.target]: ready = 'up': write a path, "),
        (f"{HEAD}{COMMAND}ready_timeout = 0\n", "[variants.only.target]: ready_timeout: longer"),
        (f"{HEAD}{COMMAND}ready_timeout = 'x'\n", "[variants.only.target]: ready_timeout = 'x' i"),
        (f"{HEAD}{COMMAND}stop_signal = 'SIGTERM'\n", "[variants.only.target]: stop_signal = 'SI"),
        (f"{HEAD}{COMMAND}journal = 'x'\n", "[variants.only.target]: journal: that is for a url"),
        (f"{HEAD}{COMMAND}files = {{ '../x' = '' }}\n", "[variants.only.target]: files: '../x': "),
        (f"{HEAD}{COMMAND}files = {{ '/x' = '' }}\n", "[variants.only.target]: files: '/x': wri"),
        (f"{HEAD}{URL}install = 'x'\n", "[variants.only.target]: install: with url nothing is"),
        (f"{HEAD}[target]\nurl = 'ftp://x'\n", "[variants.only.target]: url = 'ftp://x': write it"),
        (f"{HEAD}[target]\nurl = 'http://x:y'\n", "[variants.only.target]: url = 'http://x:y': P"),
        (f"{HEAD}[target]\nurl = 'http://x/y'\n", "[variants.only.target]: url = 'http://x/y': it"),
        (f"{HEAD}[target]\nurl = 'tcp://x'\n", "[variants.only.target]: url = 'tcp://x': write it"),
        (f"{HEAD}{URL}", "[variants.only]: scheme = 'http' contradicts url = 'https://10.0.0.5:8"),
        (f"{HEAD}[server.afd]\nBacklog = 9\n{COMMAND}", "it has both [server] and a [target]; a s"),
        (
            f"{HEAD.replace('http', 'rpc')}{COMMAND}".replace("requests = 3", ""),
            "[variants.only]: scheme = 'rpc': a target is fired at by https, http, tcp",
        ),
        (
            f'{HEAD}workload = "agent"\n{COMMAND}',
            "[variants.only.load]: workload = 'agent': only our own server has a vault",
        ),
    ],
    ids=range(33),
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    """By its table and key, and what would be right."""
    assert refused(tmp_path, f"{text}{VARIANT}").startswith(said)


@pytest.mark.parametrize(
    "head, more, said",
    [
        ("", 'hotfixes = ["all"]', "it has both hotfixes and a [target]"),
        ("", "server = { afd = { Backlog = 9 } }", "it has both [server] and a [target]"),
        ("", 'actions = [{ at = 0, action = "recycle" }]', "action = 'recycle': that is for our"),
        ("", 'actions = [{ when = "queued > 1", signal = "HUP" }]', "when 'queued > 1': there is"),
        ("", 'actions = [{ at = 0, signal = "HUPP" }]', "signal = 'HUPP' is no signal; did you m"),
        ("", 'actions = [{ at = 0, signal = "HUP", action = "stop" }]', "give one of action, sig"),
        ("", "actions = [{ at = 0, command = [] }]", "command: its first word names no program"),
        ("", 'actions = [{ at = 0, command = ["{pidd}"] }]', "command: '{pidd}' names {pidd}; d"),
        ("", 'actions = [{ at = 0, command = "ls" }]', "command: expected `array | null`, got"),
        (URL, 'actions = [{ at = 0, signal = "HUP" }]', "signal: it cannot be done to a [target]"),
        (URL, 'actions = [{ at = 0, action = "stop" }]', "action: it cannot be done to a [targe"),
        (URL, 'actions = [{ at = 0, command = ["{pid}"] }]', "command: '{pid}' names {pid}; "),
        ("#", 'actions = [{ at = 0, signal = "HUP" }]', "signal: it cannot be done to our own s"),
        ("#", 'actions = [{ at = 0, command = ["ls"] }]', "command: it cannot be done to our ow"),
    ],
    ids=range(14),
)
def test_what_is_wrong_with_a_variant(tmp_path: Path, head: str, more: str, said: str) -> None:
    """What can be done to one server cannot be done to every other."""
    whole = HEAD.replace('"http"', '"https"') if head == URL else HEAD
    assert said in refused(tmp_path, f"{whole}{head or COMMAND}{VARIANT}{more}\n")


def test_a_url_has_a_scheme_of_its_own(tmp_path: Path) -> None:
    """The load need not say it again; nor a port that the scheme implies."""
    text = HEAD.replace('scheme = "http"\n', "")
    read = load(scenario(tmp_path, f"{text}[target]\nurl = 'http://10.0.0.5'\n{VARIANT}"))
    assert read.scheme(read.variants[0]) == "http"
    assert target.scheme(target.Target(url="tcp://x:1"), {}, "") == "tcp"


@pytest.mark.parametrize(
    "text, command, said",
    [
        (f"{HEAD}{VARIANT}", "x", "--command: .* has no .target.; it runs our own server"),
        (f"{HEAD}{COMMAND}{VARIANT}", "", "--command '': it names no program"),
        (f"{HEAD}{COMMAND}{VARIANT}", "a 'b", "--command .*: No closing quotation"),
        (f"{HEAD}{COMMAND}{VARIANT}", "a {prt}", r".*command: '{prt}' names {prt}; did you mean"),
        (f"{HEAD}{URL}{VARIANT}".replace('http"', 'https"'), "x", "--command: .* is a url: it"),
    ],
    ids=range(5),
)
def test_the_command_line_may_be_wrong(tmp_path: Path, text: str, command: str, said: str) -> None:
    """It is named as the option that it is."""
    read = load(scenario(tmp_path, text))
    with pytest.raises(UsageError, match=said):
        runner.run(read, runner.Options(command=command, out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_far_url_is_not_fired_at_by_a_slip(tmp_path: Path) -> None:
    """As on the command line of the burst."""
    read = load(scenario(tmp_path, f"{HEAD}[target]\nurl = 'http://192.0.2.1'\n{VARIANT}"))
    with pytest.raises(UsageError, match="--allow-remote"):
        runner.run(
            load(scenario(tmp_path, f"{HEAD}[target]\nurl = 'http://8.8.8.8'\n{VARIANT}")),
            runner.Options(out=tmp_path / "out"),
        )
    assert read.foreign


def test_signals_are_named_without_sig() -> None:
    """As `kill -HUP` names them."""
    assert target.signal_number("HUP", "x") == signal.SIGHUP
    for wrong in ("", "hup", "SIGHUP", "1"):
        with pytest.raises(UsageError, match="is no signal"):
            target.signal_number(wrong, "x")
