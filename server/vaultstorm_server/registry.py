"""What of a registry export the server has settings for: the keys of KB960007 and http.sys."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from vaultstorm_server import app_ids
from vaultstorm_server.configuration import Given
from vaultstorm_server.registry_file import Entry, parse

_SERVICES: Final = r"hkey_local_machine\\system\\(?:currentcontrolset|controlset\d{3})\\services\\"
_CLASSES: Final = "hkey_local_machine\\software\\classes\\"

KEYS: Final[dict[str, tuple[str, frozenset[str]]]] = {
    rf"{_SERVICES}afd\\parameters": (
        "afd",
        frozenset(
            {
                "EnableDynamicBacklog",
                "MinimumDynamicBacklog",
                "MaximumDynamicBacklog",
                "DynamicBacklogGrowthDelta",
            }
        ),
    ),
    rf"{_SERVICES}tcpip\\parameters": (
        "tcpip",
        frozenset({"SynAttackProtect", "TcpMaxPortsExhausted"}),
    ),
    rf"{_SERVICES}http\\parameters": (
        "httpsys",
        frozenset(
            {
                "MaxFieldLength",
                "MaxRequestBytes",
                "UrlSegmentMaxLength",
                "UrlSegmentMaxCount",
                "EnableErrorLogging",
                "ErrorLogFileTruncateSize",
            }
        ),
    ),
    r"hkey_classes_root\\appid\\(?P<guid>\{[0-9a-f-]{36}\})": (
        app_ids.SECTION,
        frozenset({"RpcProtSeqMaxCalls"}),
    ),
}
"""The section that a key of the registry is, and the names of its values that are settings.

KB142641 and KB960007 give those of AFD, Tcpip and AppID, KB820129 and KB820729 those of HTTP.
MaxConnections and ErrorLoggingDir of HTTP are not among them: ours mean something else.
"""

_KEYS: Final = [(re.compile(pattern), *found) for pattern, found in KEYS.items()]

IGNORED_MAX: Final = 20
"""Lines that say what was ignored; the rest is counted."""


class Registry(NamedTuple):
    """What was found.

    Attributes:
        given: the settings, as `configuration.load` takes them.
        ignored: what there is no setting for, a line each.
    """

    given: list[Given]
    ignored: list[str]


def read(files: Iterable[tuple[str, bytes]]) -> Registry:
    """Read registry exports one after the other, as regedit imports them: the last one wins.

    Args:
        files: what each is called in messages, and what it holds.

    Raises:
        UsageError: one is no registry export; says in which line.
    """
    given: dict[tuple[str, str], Given] = {}
    ignored: Counter[str] = Counter()
    for where, data in files:
        for entry in parse(data, where):
            _apply(entry, where, given, ignored)
    return Registry(list(given.values()), list(_shown(ignored)))


def _apply(
    entry: Entry, where: str, given: dict[tuple[str, str], Given], ignored: Counter[str]
) -> None:
    key = _canonical(entry.key)
    if entry.name is None:
        for found in [place for place, old in given.items() if _inside(old.origin, key)]:
            del given[found]
        return
    place = _place(key, entry.name)
    if place is None:
        ignored[f"{where}: {entry.key}"] += 1
        return
    section, name = place
    if entry.value is None:
        given.pop(place, None)
    elif not name:
        ignored[f"{where}: {entry.key}\\{entry.name or '(Default)'}"] += 1
    elif not isinstance(entry.value, int):
        ignored[f"{where}: {entry.key}\\{entry.name}, which is no REG_DWORD"] += 1
    else:
        at = f"{where}, line {entry.line}: "
        given[place] = Given(at, section, name, entry.value, key)


def _place(key: str, name: str) -> tuple[str, str] | None:
    """Give section and name of a value's setting; without a name if only its key is known."""
    for pattern, section, names in _KEYS:
        found = pattern.fullmatch(key)
        if found is None:
            continue
        if section == app_ids.SECTION:
            try:
                section = app_ids.section(app_ids.read(found["guid"]))
            except ValueError:  # 36 digits and hyphens, in another order
                return None
        return section, {known.casefold(): known for known in names}.get(name.casefold(), "")
    return None


def _canonical(key: str) -> str:
    """Give a key as it is compared: in one case, and by one of the two names that classes have."""
    key = key.casefold()
    return f"hkey_classes_root\\{key.removeprefix(_CLASSES)}" if key.startswith(_CLASSES) else key


def _inside(key: str, deleted: str) -> bool:
    """Whether the deletion of a key takes another one with it: itself, or one below it."""
    return f"{key}\\".startswith(f"{deleted}\\")


def _shown(ignored: Counter[str]) -> Iterator[str]:
    for what in list(ignored)[:IGNORED_MAX]:
        yield what if ignored[what] == 1 else f"{what}: {ignored[what]} values"
    if len(ignored) > IGNORED_MAX:
        yield f"and {len(ignored) - IGNORED_MAX} more"
