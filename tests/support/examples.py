"""Runs the examples of a page: what its blocks say is typed into one shell, in its own network.

A fenced block is run if the line before it is ``<!-- run -->``, or ``<!-- run: SAID -->`` with one
or more of these, separated by semicolons:

- ``exit 1`` or ``exit 0 or 1``: how its last command ends (all others: 0),
- ``shows TEXT``: what the output of the block has somewhere,
- ``needs NAME``: a program without which the block is left out.

Of a ``console`` block the lines that begin with ``$`` are commands, one that ends in a backslash
goes on in the next line, and everything else is output. ``vaultstorm serve`` goes on in the
background until the page ends, or until the next one is started; it is waited for until it is
ready. Every block whose first line is ``# file: NAME`` is written to that file; one called
``test_*.py`` is run by pytest.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

_MARK: Final = re.compile(r"<!-- run(?:: (?P<said>.+?))? -->")
_FENCE: Final = re.compile(r"(?P<fence>`{3,}|~{3,})(?P<language>[\w-]*).*")
_FILE: Final = re.compile(r"# file: (?P<name>[\w./-]+)")
_EXIT: Final = re.compile(r"exit (?P<codes>\d+(?: or \d+)*)")
_PAGE_LIMIT: Final = 50.0
_ISOLATED: Final = ("unshare", "--user", "--map-root-user", "--net")
_UNKEPT: Final = ("PYTEST_", "COV_", "XDG_", "VAULTSTORM_")
PATH: Final = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


class Wrong(Exception):
    """A page, or what one of its examples did, is not as it should be: says where and what."""


class Step(NamedTuple):
    """One block of a page that is run.

    Attributes:
        line: of its fence.
        commands: to run in their order; none if it is only a file.
        file: to write before, if any, with its text.
        exits: how its last command may end.
        shows: what its output has to have.
        needs: programs without which it is left out.
    """

    line: int
    commands: tuple[str, ...] = ()
    file: tuple[str, str] | None = None
    exits: tuple[int, ...] = (0,)
    shows: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def missing(self) -> list[str]:
        """The programs it needs that are not here."""
        return [name for name in self.needs if shutil.which(name, path=PATH) is None]


def isolated() -> bool:
    """Tell whether a network of its own can be had here."""
    tried = [*_ISOLATED, "ip", "link", "set", "lo", "up"]
    return shutil.which("unshare") is not None and (
        subprocess.run(tried, capture_output=True, check=False).returncode == 0
    )


def steps(text: str) -> list[Step]:
    """Read a page.

    Raises:
        Wrong: something is marked to be run that cannot be.
    """
    lines = text.splitlines()
    found: list[Step] = []
    mark: tuple[int, re.Match[str]] | None = None
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        fence = _FENCE.fullmatch(line)
        if fence:
            end = _end(lines, at, fence["fence"])
            step = _step(at + 1, fence["language"], lines[at + 1 : end], mark and mark[1])
            if step:
                found.append(step)
            mark, at = None, end
        elif line:
            if mark:
                raise Wrong(f"line {mark[0]}: no block follows {mark[1][0]}")
            said = _MARK.fullmatch(line)
            mark = (at + 1, said) if said else None
            if line.startswith("<!-- run") and not said:
                raise Wrong(f"line {at + 1}: {line} is not understood")
        at += 1
    if mark:
        raise Wrong(f"line {mark[0]}: no block follows {mark[1][0]}")
    return found


def _end(lines: list[str], begin: int, fence: str) -> int:
    for at in range(begin + 1, len(lines)):
        if lines[at].strip() == fence:
            return at
    raise Wrong(f"line {begin + 1}: the block does not end")


def _step(line: int, language: str, body: list[str], mark: re.Match[str] | None) -> Step | None:
    named = _FILE.fullmatch(body[0].strip()) if body else None
    if named is None and mark is None:
        return None
    step = _said(Step(line), mark["said"] if mark else None)
    if named is not None:
        if Path(named["name"]).is_absolute() or ".." in Path(named["name"]).parts:
            raise Wrong(f"line {line}: {named['name']} leads out of the page's directory")
        step = step._replace(file=(named["name"], "\n".join(body) + "\n"))
        test = Path(named["name"]).name.startswith("test_") and named["name"].endswith(".py")
        if test:
            pytest = f"python -m pytest -q -p no:cacheprovider {shlex.quote(named['name'])}"
            step = step._replace(commands=(pytest,))
        return step
    if language != "console":
        raise Wrong(f"line {line}: a block that is run is console, or begins with # file: NAME")
    commands = _commands(body)
    if not commands:
        raise Wrong(f"line {line}: there is no command in it, no line begins with $")
    return step._replace(commands=commands)


def _said(step: Step, said: str | None) -> Step:
    for part in (said or "").split(";"):
        word = part.strip()
        kind, _, rest = word.partition(" ")
        codes = _EXIT.fullmatch(word)
        if codes:
            step = step._replace(exits=tuple(map(int, codes["codes"].split(" or "))))
        elif kind == "shows" and rest:
            step = step._replace(shows=(*step.shows, rest))
        elif kind == "needs" and rest:
            step = step._replace(needs=(*step.needs, rest))
        elif word:
            raise Wrong(f"line {step.line}: {word!r} is not understood")
    return step


def _commands(body: list[str]) -> tuple[str, ...]:
    commands: list[str] = []
    open_ended = False
    for line in body:
        if open_ended:
            commands[-1] += f"\n{line.strip().removeprefix('> ')}"
        elif line.startswith("$ "):
            commands.append(line[2:])
        else:
            continue
        open_ended = line.endswith("\\")
    return tuple(commands)


_SHELL: Final = """
ip link set lo up || exit 3
server=
end_server() {
    if [ -n "$server" ]; then kill -TERM "$server" 2>/dev/null; wait "$server" 2>/dev/null; fi
    server=
}
serve() {  # output, command
    end_server
    ( eval "exec $2" ) >"$1" 2>&1 </dev/null &
    server=$!
    until grep -q '"event":"ready"' "$1"; do
        kill -0 "$server" 2>/dev/null || { wait "$server"; return $?; }
        sleep 0.03
    done
}
"""


def script(page: list[Step], out: Path) -> str:
    """Write what the shell is given; it stops after the first command that ends otherwise."""
    lines = [_SHELL]
    for step in page:
        if step.missing:
            continue
        if step.file:
            name, text = (shlex.quote(part) for part in step.file)
            lines.append(f'mkdir -p "$(dirname {name})" && printf %s {text} >{name}')
        for nth, command in enumerate(step.commands):
            output = shlex.quote(str(out / f"{step.line}.{nth}"))
            typed = shlex.quote(command)
            if re.match(r"vaultstorm(?: --\S+)* serve(?!.*--help)", command):
                lines.append(f"serve {output} {typed}; status=$?")
            else:
                lines.append(f"eval {typed} >{output} 2>&1 </dev/null; status=$?")
            lines.append(f"echo $status >{output}.status")
            exits = step.exits if nth == len(step.commands) - 1 else (0,)
            wanted = "|".join(map(str, exits))
            lines.append(f"case $status in {wanted}) ;; *) end_server; exit 0 ;; esac")
    return "\n".join([*lines, "end_server", ""])


def run(text: str, directory: Path) -> list[str]:
    """Run all examples of a page in an empty directory.

    Returns:
        What was left out, and why.

    Raises:
        Wrong: an example did not do what the page says.
    """
    page = steps(text)
    work, out, home = (directory / name for name in ("work", "out", "home"))
    for made in (work, out, home):
        made.mkdir(parents=True)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_UNKEPT)}
    with subprocess.Popen(
        [*_ISOLATED, "bash", "-c", script(page, out)],
        cwd=work,
        env={**kept, "PATH": PATH, "HOME": str(home), "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as shell:
        try:
            said, _ = shell.communicate(timeout=_PAGE_LIMIT)
        except subprocess.TimeoutExpired as error:
            raise Wrong(f"the page took longer than {_PAGE_LIMIT:.0f} s") from error
        finally:
            _end_all(shell.pid)
    for step in page:
        _check(step, out, said)
    return [
        f"line {step.line} was left out: {name} is not installed"
        for step in page
        for name in step.missing
    ]


def _end_all(group: int) -> None:
    """End what examples left running in the background."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def _check(step: Step, out: Path, said: str) -> None:
    if step.missing:
        return
    shown = ""
    for nth, command in enumerate(step.commands):
        where = f"line {step.line}: $ {command}"
        output, status = out / f"{step.line}.{nth}", out / f"{step.line}.{nth}.status"
        if not status.exists():
            raise Wrong(f"{where}\nwas not come to\n{said}")
        text = output.read_text(encoding="utf-8", errors="replace")
        exits = step.exits if nth == len(step.commands) - 1 else (0,)
        if int(status.read_text()) not in exits:
            raise Wrong(f"{where}\nended with {status.read_text().strip()}, not {exits}\n{text}")
        shown += text
    for wanted in step.shows:
        if wanted not in shown:
            raise Wrong(f"line {step.line}: nothing shows {wanted!r}\n{shown}")
