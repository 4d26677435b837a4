"""What a run says of acknowledged data: where it was kept, and what became of it."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

NAME: Final = "vault"
"""The directory of a variant's vault, in the variant's own."""


def directory(settings: Mapping[str, Mapping[str, Any]], own: Path) -> Path:
    """Give the directory that a variant's server keeps blocks and snapshots in.

    Args:
        settings: of the server; a directory that they name is the scenario's own, and stays.
        own: the variant's.
    """
    named = settings.get("vault", {}).get("Directory")
    return Path(named) if named else own / NAME


def remove(own: Path) -> None:
    """Remove what a variant's vault has kept in the variant's own directory."""
    shutil.rmtree(own / NAME, ignore_errors=True)


def whole(summary: Mapping[str, Any]) -> bool:
    """Tell whether everything acknowledged was found as it was, on the disk."""
    acknowledged = summary["acknowledged"]
    return not acknowledged["lost"] and not acknowledged["changed"]


def findings(summary: Mapping[str, Any], directory: Path) -> list[str]:
    """Say what became of acknowledged data that it must not; no expectation allows it.

    Args:
        summary: of a variant.
        directory: where its vault has kept it.
    """
    found = []
    if not whole(summary):
        found.append(f"{_sentence(summary['acknowledged'])}; {directory} has what is there")
    read_back = summary.get("vault") or {"lost": 0, "corrupt": 0}
    if read_back["lost"] or read_back["corrupt"]:
        found.append(
            f"read back by the agents: {_many(read_back['lost'])} of what was acknowledged lost, "
            f"{_many(read_back['corrupt'])} corrupt"
        )
    return found


def told(variants: Iterable[Mapping[str, Any]]) -> str | None:
    """Say of all variants together what was acknowledged; None if nothing was."""
    total: dict[str, int] = {}
    for variant in variants:
        for name, count in variant["acknowledged"].items():
            total[name] = total.get(name, 0) + count
    return _sentence(total) if any(total.values()) else None


def _sentence(counts: Mapping[str, int]) -> str:
    blocks, snapshots = (
        f"{counts[name]:,} {name[: -1 if counts[name] == 1 else None]}"
        for name in ("blocks", "snapshots")
    )
    became = f"{_many(counts['lost'])} lost, {_many(counts['changed'])} changed"
    return f"acknowledged: {blocks} and {snapshots}, {became}"


def _many(count: int) -> str:
    return f"{count:,}" if count else "none"
