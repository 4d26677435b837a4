"""The hotfixes that a server can have, by the number of their article."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from vaultstorm_server.configuration import nearest
from vaultstorm_wire.errors import UsageError

ALL: Final = "all"


class Hotfix(NamedTuple):
    """One hotfix.

    Attributes:
        path: the setting that stands for it, 1 if it is installed.
        replaces: what it replaces, in a line.
    """

    path: str
    replaces: str


HOTFIXES: Final[dict[str, Hotfix]] = {
    "KB908739": Hotfix(
        "httpsys.KB908739",
        "a request bound to a worker that shuts down goes to the next worker, and is not lost",
    ),
}


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
            near = nearest(name, HOTFIXES)
            meant = f"; did you mean {near}?" if near and len(HOTFIXES) > 1 else ""
            there = ", ".join(HOTFIXES)
            raise UsageError(f"there is no hotfix {name!r}; there are {there} and {ALL}{meant}")
        paths.update(dict.fromkeys(HOTFIXES[n].path for n in known))
    return [f"{path}=1" for path in paths]
