"""Shell completion: what is offered where, in the protocol of each shell and in the shells."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import environment, vaultstorm
from vaultstorm import library
from vaultstorm.cli import complete
from vaultstorm.cli.ctl import ACTIONS
from vaultstorm_server.hotfixes import HOTFIXES
from vaultstorm_server.keys import describe

SCENARIO = "recycle-keepalive"
VARIANTS = {"broken", "workaround-no-keepalive", "workaround-rare-recycling", "fixed"}
AFD = {f"{key.path}={key.default}" for key in describe() if key.section == "afd"}
COMMANDS = {"serve", "burst", "run", "scenarios", "report", "probe", "ctl", "doctor"}


def offered(line: str) -> set[str]:
    """Give what bash is offered at the end of a line."""
    words = line.split()
    at = len(words) if line.endswith(" ") else len(words) - 1
    ended = vaultstorm(**{complete.VARIABLE: "complete_bash"}, COMP_WORDS=line, COMP_CWORD=str(at))
    assert ended.returncode == 0
    assert ended.stderr == ""
    return set(ended.stdout.split())


@pytest.mark.parametrize(
    "line, offers",
    [
        ("vaultstorm ", COMMANDS),
        ("vaultstorm s", {"serve", "scenarios"}),
        ("vaultstorm --show-completion ", {"bash", "zsh", "fish"}),
        ("vaultstorm serve --ho", {"--host", "--hotfix"}),
        ("vaultstorm serve --overflow ", {"reset", "refuse", "drop"}),
        ("vaultstorm serve --hotfix ", {*HOTFIXES, "all"}),
        ("vaultstorm serve --set afd.", AFD),
        ("vaultstorm serve --reg ", set(library.registry_names())),
        ("vaultstorm burst --workload ", {"status", "agent"}),
        ("vaultstorm run ", set(library.names())),
        (f"vaultstorm run {SCENARIO} --variant ", VARIANTS),
        (f"vaultstorm run {SCENARIO} --variant fixed --variant b", {"broken"}),
        ("vaultstorm run --variant ", set()),
        ("vaultstorm run no-such-scenario --variant ", set()),
        ("vaultstorm ctl ", set(ACTIONS)),
        ("vaultstorm ctl gate ", {"open", "closed", "resolver", "exporter"}),
        ("vaultstorm ctl gate resolver ", {"open", "closed"}),
        ("vaultstorm ctl gate open ", set()),
        ("vaultstorm ctl worker ", {"kill", "hang", "resume"}),
        ("vaultstorm ctl apply-hotfix KB", set(HOTFIXES) - {"TECH39579"}),
        ("vaultstorm ctl set apppool.MaxP", {"apppool.MaxProcesses=1"}),
        ("vaultstorm ctl recycle ", set()),
    ],
)  # fmt: skip
def test_what_is_offered(line: str, offers: set[str]) -> None:
    """Commands, options and values, each where it may stand and nowhere else."""
    assert offered(line) == offers


def test_runs_are_offered_last_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what `run` has finished, where it puts it by itself."""
    monkeypatch.chdir(tmp_path)
    assert complete.runs() == []
    for age, name in enumerate(("new", "old")):
        finished = tmp_path / complete.RUNS / name / "run.db"
        finished.parent.mkdir(parents=True)
        finished.touch()
        os.utime(finished, (1000 - age, 1000 - age))
    (tmp_path / complete.RUNS / "unfinished").mkdir()
    assert [word for word, _ in complete.runs()] == [f"{complete.RUNS}/new", f"{complete.RUNS}/old"]


def test_a_setting_is_offered_with_a_word_about_it() -> None:
    """A key, its default to be changed, and what zsh and fish show beside them."""
    offers = dict(complete.settings())
    assert offers["afd.Backlog=10"]


@pytest.mark.parametrize("option", ["--show-completion", "--install-completion"])
def test_an_unknown_shell_is_named(option: str) -> None:
    """The message lists those that are known."""
    ended = vaultstorm(option, "tcsh")
    assert ended.returncode == 2
    assert all(shell in ended.stderr for shell in complete.Shell)


def test_it_is_installed_where_bash_reads_it(tmp_path: Path) -> None:
    """The script goes into the home directory, and .bashrc reads it."""
    ended = vaultstorm("--install-completion", "bash", HOME=str(tmp_path))
    assert ended.returncode == 0
    (script,) = (tmp_path / ".bash_completions").iterdir()
    assert str(script) in (tmp_path / ".bashrc").read_text()
    assert script.read_text().strip() == vaultstorm("--show-completion", "bash").stdout.strip()


def in_shell(shell: str, tmp_path: Path, *arguments: str) -> list[str]:
    """Run a real shell in which `vaultstorm` is a command and its completion script is a file."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    program = tmp_path / "vaultstorm"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m vaultstorm "$@"\n')
    program.chmod(0o755)
    script = tmp_path / "script"
    script.write_text(vaultstorm("--show-completion", shell).stdout)
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    ended = subprocess.run(
        [shell, *arguments],
        capture_output=True,
        check=True,
        cwd=tmp_path,
        encoding="utf-8",
        env=environment(PATH=path, HOME=str(tmp_path)),
        stdin=subprocess.DEVNULL,
        timeout=50,
    )
    assert ended.stderr == ""
    return ended.stdout.splitlines()


def test_bash_completes(tmp_path: Path) -> None:
    """The script's function, called as bash calls it, gives the one word that fits."""
    asked = (
        "source ./script; complete -p vaultstorm; COMP_WORDS=(vaultstorm run recycle-k);"
        'COMP_CWORD=2; _vaultstorm_completion vaultstorm; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    assert in_shell("bash", tmp_path, "--norc", "-c", asked) == [
        "complete -o default -F _vaultstorm_completion vaultstorm",
        SCENARIO,
    ]


def test_zsh_completes(tmp_path: Path) -> None:
    """The script's function hands zsh's own completion the word that fits, and its title."""
    asked = (
        "compdef() { print -- compdef $@ }; _arguments() { print -- $1 }; source ./script;"
        "words=(vaultstorm run recycle-k); CURRENT=3; _vaultstorm_completion"
    )
    said, offers = in_shell("zsh", tmp_path, "-f", "-c", asked)
    assert said == "compdef _vaultstorm_completion vaultstorm"
    assert offers.startswith(f'*: :(("{SCENARIO}":"A recycle loses requests')


def test_fish_completes(tmp_path: Path) -> None:
    """Fish itself, asked what it would complete, gives the word and its title."""
    asked = 'source ./script; complete -C "vaultstorm run recycle-k"'
    (line,) = in_shell("fish", tmp_path, "--no-config", "-c", asked)
    assert line.startswith(f"{SCENARIO}\tA recycle loses requests")
