"""The `[target]` of a scenario: which server is fired at instead of ours."""

import shlex
import signal
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from vaultstorm import tables
from vaultstorm.foreign import placeholders
from vaultstorm_client.target import PORTS
from vaultstorm_server.configuration import nearest
from vaultstorm_wire.errors import UsageError

CONNECT: Final = "connect"
"""The readiness that asks for no more than a TCP connection that stands."""
SCHEMES: Final = ("https", "http", "tcp")
"""What a foreign server can be fired at by."""
HOST: Final = "127.0.0.1"
"""Where a server listens that is started for a run."""

_OF_SHELL: Final = frozenset({"|", "||", "&&", "&", ";", "<", ">", ">>", "2>&1", "2>", "&>"})
"""Words that nobody gives to a program: whoever writes them thinks of a shell."""
_TABLES: Final = ("env", "files")
_OF_COMMAND: Final = ("command", "version", "install")
_STARTED_ONLY: Final = ("stop_signal", "install", *_TABLES)


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A foreign server; either `command` or `url` is set.

    Attributes:
        command: what starts it; it stays in the foreground.
        url: where it runs already.
        ca: a file of the authorities that the load trusts.
        ready: a path that it answers below 500, or `CONNECT`.
        ready_timeout: seconds it gets for that.
        stop_signal: how it is asked to end, without ``SIG``.
        version: what prints its version.
        install: how to install it, for who has not.
        access_log: what is read after its end as execution journal.
        access_log_format: of that log, as nginx's log_format; None for combined with the id.
        journal: where the journals of its middleware are, if it runs already.
        env: its environment, beside ours.
        files: what is written before it starts, by name.
    """

    command: tuple[str, ...] = ()
    url: str | None = None
    ca: str | None = None
    ready: str = CONNECT
    ready_timeout: float | str = 30.0
    stop_signal: str = "TERM"
    version: tuple[str, ...] = ()
    install: str | None = None
    access_log: str | None = None
    access_log_format: str | None = None
    journal: str | None = None
    env: dict[str, str] = {}
    files: dict[str, str] = {}

    @property
    def patience(self) -> float:
        """Give `ready_timeout` in seconds."""
        return tables.duration(self.ready_timeout, "ready_timeout")

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything that placeholders may stand in."""
        texts = (*self.command, *self.version, *self.env.values(), *self.files.values())
        return (*texts, self.access_log or "")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of files and of variables, and what else goes to the system as it is written."""
        return (*self.env, *self.files, self.url or "", self.ca or "", self.journal or "")


_KEYS: Final = tuple(field.name for field in msgspec.structs.fields(Target))


def known(table: object, where: str) -> dict[str, Any]:
    """Give the table of a target, or of what a variant replaces in it.

    Raises:
        UsageError: it is no table, or has a key that does not exist.
    """
    if not isinstance(table, Mapping):
        raise UsageError(f"{where}: has to be a table")
    tables.only(table, _KEYS, where)
    for name in _TABLES:
        if not isinstance(table.get(name, {}), Mapping):
            raise UsageError(f"{where}: {name}: has to be a table")
    return dict(table)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay the keys of a variant over those of the scenario; `env` and `files` name by name."""
    nested = {
        name: {**base.get(name, {}), **over.get(name, {})}
        for name in _TABLES
        if name in base or name in over
    }
    return {**base, **over, **nested}


def read(table: Mapping[str, Any], where: str) -> Target:
    """Read a whole target.

    Raises:
        UsageError: something in it is missing, contradictory, or cannot be carried out.
    """
    target = tables.convert(table, Target, where)
    if bool(target.command) == (target.url is not None):
        raise UsageError(f"{where}: give either command or url")
    if not 0 < tables.duration(target.ready_timeout, f"{where}: ready_timeout") < float("inf"):
        raise UsageError(f"{where}: ready_timeout: longer than 0, and not for ever")
    if target.ready != CONNECT and not target.ready.startswith("/"):
        raise UsageError(f"{where}: ready = {target.ready!r}: write a path, or {CONNECT}")
    if any(not "!" <= letter <= "~" for letter in target.ready):
        raise UsageError(
            f"{where}: ready = {target.ready!r}: write it as it is sent, with %20 and the like"
        )
    signal_number(target.stop_signal, f"{where}: stop_signal")
    known_names = placeholders.NAMES if target.url is None else placeholders.COMMON
    for name in ("command", "version", "env"):
        value = getattr(target, name)
        texts = value.values() if isinstance(value, dict) else value
        placeholders.check(texts, known_names, f"{where}: {name}")
    placeholders.check([target.access_log or ""], known_names, f"{where}: access_log")
    if "\0" in "".join((*target.texts, *target.names)):
        raise UsageError(f"{where}: a NUL character can stand in no command and no file name")
    for name in target.env:
        if not name or "=" in name:
            raise UsageError(f"{where}: env: {name!r} cannot be the name of a variable")
    if target.access_log_format is not None:
        _check_log(target.access_log_format, where)
    for name in target.files:
        path = PurePath(name)
        if not name or path.is_absolute() or ".." in path.parts or name.endswith("/"):
            raise UsageError(f"{where}: files: {name!r}: write the name of a file in {{dir}}")
    _check_kind(table, target, where)
    return target


def signal_number(name: str, where: str) -> signal.Signals:
    """Give a signal by its name without ``SIG``. Raises UsageError."""
    names = [number.name.removeprefix("SIG") for number in signal.Signals]
    if name not in names:
        near = nearest(name.upper().removeprefix("SIG"), names)
        meant = f"did you mean {near}?" if near else "write HUP, TERM, USR2, …"
        raise UsageError(f"{where} = {name!r} is no signal; {meant}")
    return signal.Signals[f"SIG{name}"]


def words(command: str, option: str) -> tuple[str, ...]:
    """Split a command line into its words, as a shell does. Raises UsageError."""
    try:
        found = tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(f"{option} {command!r}: {error}") from error
    if not found or not found[0] or "\0" in command:
        raise UsageError(f"{option} {command!r}: it names no program")
    of_shell = next((word for word in found if word in _OF_SHELL), None)
    if of_shell is not None:
        raise UsageError(
            f"{option} {command!r}: no shell reads it, so {of_shell} means nothing; "
            "write sh -c '…' around it"
        )
    return found


def replaced(table: Mapping[str, Any], command: tuple[str, ...]) -> dict[str, Any]:
    """Give a target's table with another command, of which no more is known."""
    return {**without_command(table), "command": list(command)}


def without_command(table: Mapping[str, Any]) -> dict[str, Any]:
    """Give a target's table without its command, and what belongs to that."""
    return {key: value for key, value in table.items() if key not in _OF_COMMAND}


def scheme(target: Target, load: Mapping[str, Any], where: str) -> str:
    """Give the scheme that a target is fired at. Raises UsageError if there is none."""
    own = urlsplit(target.url).scheme if target.url is not None else None
    chosen = load.get("scheme", own or SCHEMES[0])
    if chosen not in SCHEMES:
        raise UsageError(
            f"{where}: scheme = {chosen!r}: a target is fired at by {', '.join(SCHEMES)}"
        )
    if own is not None and chosen != own:
        raise UsageError(f"{where}: scheme = {chosen!r} contradicts url = {target.url!r}")
    return str(chosen)


def load(load: Mapping[str, Any], scheme: str, where: str) -> dict[str, Any]:
    """Give the load that a target is given: its path is ``/`` unless the scenario says another.

    Raises:
        UsageError: it is one that only our own server understands.
    """
    if load.get("workload") == "agent":
        raise UsageError(f"{where}: workload = 'agent': only our own server has a vault")
    path = {} if scheme == "tcp" else {"path": "/"}
    return {**path, **load, "scheme": scheme}


def _check_log(format: str, where: str) -> None:
    """Raise UsageError if no log can be read by a format."""
    from vaultstorm.journal import access_log

    try:
        access_log.check(format)
    except UsageError as error:
        raise UsageError(f"{where}: access_log_format: {error}") from error


def _check_kind(table: Mapping[str, Any], target: Target, where: str) -> None:
    """Raise UsageError if a key means nothing to a server of this kind."""
    if target.url is None:
        if target.journal is not None:
            raise UsageError(
                f"{where}: journal: that is for a url; a server that is started here finds its "
                "own in $VAULTSTORM_JOURNAL"
            )
        if not target.command[0]:
            raise UsageError(f"{where}: command: its first word names no program")
        return
    for key in _STARTED_ONLY:
        if key in table:
            raise UsageError(f"{where}: {key}: with url nothing is started or ended")
    try:
        parts = urlsplit(target.url)
        right = parts.scheme in SCHEMES and bool(parts.hostname) and parts.username is None
        port = PORTS.get(parts.scheme) if parts.port is None else parts.port
    except ValueError as error:
        raise UsageError(f"{where}: url = {target.url!r}: {error}") from error
    if not right or not port:
        raise UsageError(f"{where}: url = {target.url!r}: write it as https://10.0.0.5:8443")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise UsageError(f"{where}: url = {target.url!r}: its path is written in [load]")
