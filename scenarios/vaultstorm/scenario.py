"""A scenario: one load against several variants of a server, and what is expected of each."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from vaultstorm import actions, expectation, library, workload
from vaultstorm.actions import Action
from vaultstorm.foreign import target as targets
from vaultstorm.foreign.target import Target
from vaultstorm.tables import convert, duration
from vaultstorm_client.plan import Plan
from vaultstorm_server import configuration
from vaultstorm_server.hotfixes import ALL, HOTFIXES
from vaultstorm_wire.errors import UsageError

SCHEMA: Final = 1
DEFAULT_TIME_LIMIT: Final = 120.0
SEED_MAX: Final = (1 << 63) - 1
"""As large as TOML's integers."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")

Tables = dict[str, Any]


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One server that the load is fired at.

    Attributes:
        why: what the reader learns from it, in one sentence.
        server: the settings in which it differs, section by section.
        load: the keys of the load in which it differs.
        target: the keys of the target in which it differs.
        expect: the expectations, as written.
    """

    name: str
    title: str
    why: str
    server: Tables = {}
    load: Tables = {}
    target: Tables = {}
    hotfixes: tuple[str, ...] = ()
    expect: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()

    @property
    def options(self) -> Tables:
        """What differs from the other variants, without what is empty."""
        differs: Tables = {"server": self.server, "load": self.load, "target": self.target}
        differs["hotfixes"] = list(self.hotfixes)
        return {name: value for name, value in differs.items() if value}


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A whole scenario, checked.

    Attributes:
        name: of the library, or the file's without its suffix.
        origin: where it was read from, as messages say it.
        source: the file, byte for byte.
        breaks: what breaks, in a sentence; so are `why` it does, and what `fixes` it.
        seed: of the load; None for a new one each time.
        time_limit: seconds for all variants together.
        server: the settings of all variants.
        load: the load of all variants.
        target: the foreign server of all variants, in place of ours.
        variants: in the order of the file.
    """

    name: str
    origin: str
    source: bytes
    title: str
    article: str
    breaks: str
    why: str
    fixes: str
    seed: int | None = None
    time_limit: float = DEFAULT_TIME_LIMIT
    server: Tables = {}
    load: Tables = {}
    target: Tables = {}
    variants: tuple[Variant, ...]

    @property
    def foreign(self) -> bool:
        """Whether it is fired at somebody else's servers."""
        return bool(self.target) or any(variant.target for variant in self.variants)

    def served_by(self, variant: Variant) -> Target | None:
        """Give the foreign server of one variant; None for ours."""
        if not self.foreign:
            return None
        where = f"{self.origin}, [variants.{variant.name}.target]"
        return targets.read(targets.merged(self.target, variant.target), where)

    def with_command(self, command: str) -> "Scenario":
        """Give the same scenario with another command in every target. Raises UsageError."""
        words = targets.words(command, "--command")
        if not self.foreign:
            raise UsageError(f"--command: {self.origin} has no [target]; it runs our own server")
        if any("url" in {**self.target, **variant.target} for variant in self.variants):
            raise UsageError(f"--command: the target of {self.origin} is a url: it runs already")
        without = [replace(v, target=targets.without_command(v.target)) for v in self.variants]
        made = replace(self, target=targets.replaced(self.target, words), variants=tuple(without))
        for variant in made.variants:
            made.served_by(variant)
        return made

    def settings(self, variant: Variant) -> Tables:
        """Give the settings of one variant's server; a load of HTTP decides on TLS."""
        merged = _merged(self.server, variant.server)
        where = f"{self.origin}, [variants.{variant.name}]"
        chosen = workload.scheme({**self.load, **variant.load}, where)
        tls = merged.get("httpsys", {}).get("TLS")
        if chosen in ("https", "http"):
            if tls is not None and tls != (chosen == "https"):
                raise UsageError(f"{where}: httpsys.TLS = {tls} contradicts scheme {chosen}")
            merged = _merged(merged, {"httpsys": {"TLS": int(chosen == "https")}})
        return merged

    def scheme(self, variant: Variant) -> str:
        """Give the scheme that one variant's load is fired at: a target that runs has its own."""
        load = {**self.load, **variant.load}
        target = self.served_by(variant)
        if target is None:
            return workload.scheme(load, self.origin)
        where = f"{self.origin}, [variants.{variant.name}]"
        return targets.scheme(target, load, where)

    def plan(self, variant: Variant, seed: int) -> Plan:
        """Give the load of one variant."""
        where = f"{self.origin}, [variants.{variant.name}.load]"
        load = {**self.load, **variant.load}
        if self.foreign:
            load = targets.load(load, self.scheme(variant), where)
        return workload.plan(load, where, seed)

    def choose(self, names: Iterable[str]) -> tuple[Variant, ...]:
        """Give the variants of these names in the scenario's order; all, if none is named.

        Raises:
            UsageError: there is no variant of that name.
        """
        wanted = list(names)
        known = [variant.name for variant in self.variants]
        for name in wanted:
            if name not in known:
                near = configuration.nearest(name, known)
                meant = f"did you mean {near}?" if near else f"it has {', '.join(known)}"
                raise UsageError(f"{self.origin} has no variant {name!r}; {meant}")
        return tuple(v for v in self.variants if not wanted or v.name in wanted)


class _Head(msgspec.Struct, frozen=True):
    schema: int
    title: str
    article: str
    breaks: str
    why: str
    fixes: str
    variants: Tables
    seed: int | None = None
    time_limit: str | float = DEFAULT_TIME_LIMIT
    server: Tables = {}
    load: Tables = {}
    target: Tables = {}


class _Variant(msgspec.Struct, frozen=True):
    title: str
    why: str
    server: Tables = {}
    load: Tables = {}
    target: Tables = {}
    hotfixes: list[str] = []
    expect: list[str] = []
    actions: list[Any] = []


def load(scenario: str | Path) -> Scenario:
    """Read a scenario.

    Args:
        scenario: the name of one in the library, or the path of a file.

    Raises:
        UsageError: there is no such scenario, or something in it is wrong: says where and what.
    """
    name, origin, source = _open(scenario)
    document = configuration.parse(source, origin)
    if document.get("schema", SCHEMA) != SCHEMA:
        raise UsageError(f"{origin}: schema = {document['schema']}: this vaultstorm reads {SCHEMA}")
    head = convert(document, _Head, origin)
    if head.seed is not None and not 0 <= head.seed <= SEED_MAX:
        raise UsageError(f"{origin}: seed = {head.seed} is out of range: 0 to {SEED_MAX}")
    limit = duration(head.time_limit, f"{origin}: time_limit")
    if not 0 < limit < float("inf"):
        raise UsageError(f"{origin}: time_limit: longer than 0, and not for ever")
    if not head.variants:
        raise UsageError(f"{origin}: there is no variant; write at least one [variants.NAME]")
    configuration.from_document(head.server, f"{origin}, [server]: ")
    made = Scenario(
        name=name,
        origin=origin,
        source=source,
        title=head.title,
        article=head.article,
        breaks=head.breaks,
        why=head.why,
        fixes=head.fixes,
        seed=head.seed,
        time_limit=limit,
        server=head.server,
        load=head.load,
        target=targets.known(head.target, f"{origin}, [target]"),
        variants=tuple(_variant(origin, head.target, *item) for item in head.variants.items()),
    )
    workload.plan(head.load, f"{origin}, [load]", 0)
    workload.scheme(head.load, f"{origin}, [load]")
    if made.foreign:
        _check_foreign(made)
    elif "target" in document:
        raise UsageError(f"{origin}, [target]: give either command or url")
    for variant in made.variants:
        made.plan(variant, 0)
        made.settings(variant)
    return made


def _check_foreign(scenario: Scenario) -> None:
    """Raise UsageError if a scenario has a server of ours as well, or a variant has none."""
    for variant in scenario.variants:
        if scenario.server or variant.server or variant.hotfixes:
            ours = "hotfixes" if variant.hotfixes else "[server]"
            raise UsageError(
                f"{scenario.origin}: it has both {ours} and a [target]; a scenario runs either our "
                "own server or somebody else's"
            )
        scenario.served_by(variant)


def _variant(origin: str, target: Tables, name: str, table: object) -> Variant:
    where = f"{origin}, [variants.{name}]"
    if not _NAME.fullmatch(name):
        raise UsageError(f"{where}: a variant's name is of a-z, 0-9 and -, at most 64 of them")
    written = convert(table, _Variant, where)
    configuration.from_document(written.server, f"{where[:-1]}.server]: ")
    own = targets.known(written.target, f"{where[:-1]}.target]")
    for n, text in enumerate(written.expect, 1):
        expectation.parse(text, f"{where}: expect {n}:")
    return Variant(
        name=name,
        title=written.title,
        why=written.why,
        server=written.server,
        load=written.load,
        target=own,
        hotfixes=_hotfixes(written.hotfixes, where),
        expect=tuple(written.expect),
        actions=actions.read(written.actions, f"{where}: action", _whom({**target, **own})),
    )


def _whom(target: Tables) -> actions.Whom:
    if not target:
        return actions.OURS
    return actions.ELSEWHERE if "url" in target else actions.STARTED


def _hotfixes(written: Iterable[str], where: str) -> tuple[str, ...]:
    """Give the hotfixes by their own names: they may be written in either case, or as `all`."""
    named: dict[str, None] = {}
    for word in written:
        known = [name for name in HOTFIXES if word.casefold() in (name.casefold(), ALL)]
        if not known:
            near = configuration.nearest(word, [*HOTFIXES, ALL])
            meant = f"did you mean {near}?" if near else f"it knows {', '.join(HOTFIXES)} and {ALL}"
            raise UsageError(f"{where}: the server has no hotfix {word!r}; {meant}")
        named.update(dict.fromkeys(known))
    return tuple(named)


def _open(scenario: str | Path) -> tuple[str, str, bytes]:
    """Give name, origin and content of a scenario."""
    text = os.fspath(scenario)
    shipped = library.find(text) if isinstance(scenario, str) else None
    if shipped is not None:
        return text, f"library/{shipped.name}", shipped.read_bytes()
    path = Path(text)
    named = isinstance(scenario, str) and "/" not in text and not text.endswith(library.SUFFIX)
    if named and not path.exists():
        near = configuration.nearest(text, library.names())
        meant = f"did you mean {near}?" if near else f"it has {', '.join(library.names())}."
        raise UsageError(
            f"the library has no scenario {text!r}; {meant} "
            "One of your own is named by its file, such as ./mine.toml"
        )
    try:
        return path.stem, text, path.read_bytes()
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {text!r}: {getattr(error, 'strerror', error)}") from error


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Tables:
    """Lay the sections of `over` over those of `base`, key by key."""
    merged = {section: dict(keys) for section, keys in base.items()}
    for section, keys in over.items():
        merged.setdefault(section, {}).update(keys)
    return merged
