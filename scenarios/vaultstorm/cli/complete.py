"""What a shell offers where a command line stands unfinished: looked up when it asks."""

from enum import StrEnum
from pathlib import Path
from typing import Final

import typer

Offers = list[tuple[str, str]]
"""Words, each with what it is."""

VARIABLE: Final = "_VAULTSTORM_COMPLETE"
"""Set in the environment by a shell's completion script."""
RUNS: Final = "vaultstorm-runs"
GATES: Final = {"open": "let the application accept", "closed": "hold it back"}
WORKER: Final = {
    "kill": "kill the oldest worker",
    "hang": "stop it, so that it answers nothing",
    "resume": "let the stopped go on",
}


class Shell(StrEnum):
    """The shells that are known here."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def show(ctx: typer.Context, param: typer.CallbackParam, shell: Shell | None) -> None:
    """Print the completion script of a shell, and leave."""
    from typer.completion import show_callback

    show_callback(ctx, param, shell)


def install(ctx: typer.Context, param: typer.CallbackParam, shell: Shell | None) -> None:
    """Put the completion script where the shell reads it, and leave."""
    from typer.completion import install_callback

    install_callback(ctx, param, shell)


def scenarios() -> Offers:
    """Offer the scenarios that ship."""
    from vaultstorm import library
    from vaultstorm.scenario import load

    return [(name, load(name).title) for name in library.names()]


def variants(ctx: typer.Context) -> Offers:
    """Offer the variants of the scenario that is named before."""
    from vaultstorm.scenario import load
    from vaultstorm_wire.errors import VaultstormError

    # An option without its value ends the parser's work before it comes to the arguments.
    for name in [ctx.params.get("scenario"), *ctx.args]:
        try:
            return [(one.name, one.title) for one in load(name or "").variants]
        except VaultstormError:
            continue
    return []


def runs() -> Offers:
    """Offer the runs that are kept where `run` puts them, the last one first."""
    found = sorted(Path(RUNS).glob("*/run.db"), key=lambda path: path.stat().st_mtime)
    return [(str(path.parent), "a finished run") for path in reversed(found)]


def settings() -> Offers:
    """Offer every setting with its default, to be changed."""
    from vaultstorm_server.keys import describe

    return [(f"{key.path}={key.default}", key.description) for key in describe()]


def hotfixes() -> Offers:
    """Offer the hotfixes, and all of them."""
    from vaultstorm_server.hotfixes import ALL, HOTFIXES

    return [*((name, hotfix.replaces) for name, hotfix in HOTFIXES.items()), (ALL, "all of them")]


def registry_exports() -> Offers:
    """Offer the registry exports that ship."""
    from vaultstorm import library

    return [(name, "what that article recommends") for name in library.registry_names()]


def actions() -> Offers:
    """Offer what a running server can be told."""
    from vaultstorm.cli.ctl import ACTIONS

    return [(name, action.does) for name, action in ACTIONS.items()]


def values(ctx: typer.Context) -> Offers:
    """Offer what may follow the action that is named before."""
    action, before = ctx.params.get("action"), list(ctx.params.get("values") or ())
    if action == "gate" and before in ([], ["resolver"], ["exporter"]):
        which = [] if before else [("resolver", "that of RPC"), ("exporter", "all those of RPC")]
        return [*GATES.items(), *which]
    if before:
        return []
    if action == "worker":
        return list(WORKER.items())
    if action == "apply-hotfix":
        return hotfixes()
    if action == "set":
        return [offer for offer in settings() if offer[0].startswith("apppool.")]
    return []


def methods() -> Offers:
    """Offer the methods that the vault knows."""
    return [("GET", "read"), ("HEAD", "look"), ("POST", "change"), ("PUT", "write")]
