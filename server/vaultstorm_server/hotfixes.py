"""The hotfixes that a server can have, by their article's number, and how each is installed."""

from collections.abc import Iterable
from enum import StrEnum, auto
from typing import Final, NamedTuple

from vaultstorm_server.configuration import nearest
from vaultstorm_wire.errors import UsageError

ALL: Final = "all"


class Do(StrEnum):
    """What a step of an installation has done to the server."""

    STOP_SERVICE = auto()
    STOP_IIS = auto()
    NOTHING = auto()
    REPLACE_VAULT = auto()
    REPLACE_HTTP_SYS = auto()
    REPLACE_OLE32 = auto()
    START_IIS = auto()
    START_SERVICE = auto()
    RESTART_COMPUTER = auto()


class Step(NamedTuple):
    """One step of an installation, in the article's order.

    Attributes:
        do: its effect here.
        text: the article's words.
    """

    do: Do
    text: str


class Hotfix(NamedTuple):
    """One hotfix.

    Attributes:
        path: the setting that stands for it, 1 if it is installed.
        replaces: what it replaces, in a line.
        steps: of its installation on a server that runs.
    """

    path: str
    replaces: str
    steps: tuple[Step, ...]


HOTFIXES: Final[dict[str, Hotfix]] = {
    "KB908739": Hotfix(
        "httpsys.KB908739",
        "a request bound to a worker that shuts down goes to the next worker, and is not lost",
        (
            Step(Do.STOP_IIS, "stop IIS"),
            Step(Do.REPLACE_HTTP_SYS, "replace Http.sys"),
            Step(Do.RESTART_COMPUTER, "restart the computer"),
        ),
    ),
    "KB960007": Hotfix(
        "rpc.KB960007",
        "RpcProtSeqMaxCalls of an AppID is read, and passed to listen()",
        (
            Step(Do.REPLACE_OLE32, "replace Ole32.dll"),
            Step(Do.RESTART_COMPUTER, "restart the computer"),
        ),
    ),
    "TECH39579": Hotfix(
        "vault.TECH39579",
        "an interface entry is released when nothing refers to it, and not while it is in use",
        (
            Step(Do.STOP_SERVICE, "stop the Recovery Solution Server Service"),
            Step(Do.STOP_IIS, "stop IIS"),
            Step(
                Do.NOTHING,
                r"browse to %Program Files%\Altiris\Recovery Solution\Server\HTTPVault",
            ),
            Step(Do.REPLACE_VAULT, "replace RsHttpVault.dll"),
            Step(Do.START_IIS, "start IIS"),
            Step(Do.START_SERVICE, "restart the Recovery Solution Server Service"),
        ),
    ),
}


def find(name: str) -> str:
    """Give the name of a hotfix as it is written, from one in either case.

    Raises:
        UsageError: there is no such hotfix; says which there are.
    """
    for known in HOTFIXES:
        if name.casefold() == known.casefold():
            return known
    *most, last = HOTFIXES
    raise _unknown(name, f"{', '.join(most)} and {last}")


def overrides(names: Iterable[str]) -> list[str]:
    """Write the settings of the hotfixes that are named, as `configuration.load` takes them.

    Args:
        names: of `HOTFIXES`, in either case, or ``all``.

    Raises:
        UsageError: there is no such hotfix; says which there are.
    """
    paths: dict[str, None] = {}
    for name in names:
        known = [n for n in HOTFIXES if name.casefold() in (n.casefold(), ALL)]
        if not known:
            raise _unknown(name, f"{', '.join(HOTFIXES)} and {ALL}")
        paths.update(dict.fromkeys(HOTFIXES[n].path for n in known))
    return [f"{path}=1" for path in paths]


def _unknown(name: str, there: str) -> UsageError:
    near = nearest(name, HOTFIXES)
    meant = f"; did you mean {near}?" if near else ""
    return UsageError(f"there is no hotfix {name!r}; there are {there}{meant}")
