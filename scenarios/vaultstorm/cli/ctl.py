"""`vaultstorm ctl`: tells a running server what to do."""

from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import quote

import typer

from vaultstorm.cli import complete
from vaultstorm.cli.output import JsonTo, write
from vaultstorm.control import ADMIN, ask
from vaultstorm_wire.errors import UsageError

PATIENCE: Final = 30.0
"""Seconds for an answer: an iisreset answers when it is done, which takes up to five."""
ASSIGNMENT: Final = "KEY=VALUE"
HOTFIX: Final = "NAME"
GATE: Final = "[resolver|exporter] open|closed"


GATES: Final = tuple(
    f"{which}{state}" for which in ("", "resolver ", "exporter ") for state in ("open", "closed")
)


class Action(NamedTuple):
    """How an action is asked for.

    Attributes:
        method: of the request to the control plane.
        path: there.
        does: what it does, in a few words.
        values: what may follow it, as the end of the path, where its words are steps; `ASSIGNMENT`
            alone for a setting, and `HOTFIX` for the name of a hotfix.
    """

    method: str
    path: str
    does: str
    values: tuple[str, ...] = ()


ACTIONS: Final = {
    "status": Action("GET", "/status", "the state of every part"),
    "gate": Action("POST", "/gate", "let the application accept, or hold it back", GATES),
    "recycle": Action("POST", "/recycle", "replace the worker processes"),
    "iisreset": Action("POST", "/iisreset", "stop and start everything on the same port"),
    "apply-hotfix": Action("POST", "/apply-hotfix", "install a hotfix", (HOTFIX,)),
    "stop-pool": Action("POST", "/stop-pool", "turn the application pool off"),
    "start-pool": Action("POST", "/start-pool", "turn the application pool on"),
    "set": Action("POST", "/set", "change a setting of the pool", (ASSIGNMENT,)),
    "worker": Action(
        "POST", "/worker", "kill, hang or resume a worker process", ("kill", "hang", "resume")
    ),
}


def ctl(
    action: Annotated[
        str,
        typer.Argument(
            metavar="ACTION",
            help="What to do, as above.",
            show_default=False,
            autocompletion=complete.actions,
        ),
    ],
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="VALUE",
            help="What gate, apply-hotfix, set and worker take after them.",
            show_default=False,
            autocompletion=complete.values,
        ),
    ] = None,
    admin: Annotated[str, typer.Option(metavar="URL", help="The server's control plane.")] = ADMIN,
    json_to: JsonTo = None,
) -> int:
    """Show or change a running server.

    \b
    status                   the state of every part
    gate open|closed         let the application accept, or hold it back while
                             the accept queue goes on filling
    gate resolver|exporter open|closed
                             the same for RPC: the resolver, or all object
                             exporters, those to come included
    recycle                  replace the worker processes, on demand
    iisreset                 stop and start everything on the same port; comes
                             back when it is done
    apply-hotfix NAME        stop what a hotfix replaces, replace it, start again;
                             comes back when it is done
    stop-pool, start-pool    turn the application pool off (503 Disabled) and
                             on, also after rapid-fail protection
    set KEY=VALUE            change a setting of the pool, for instance
                             apppool.PeriodicRestartRequests=500; its workers
                             are recycled, as IIS does on a change
    worker kill|hang|resume  kill the oldest worker that serves, stop it so
                             that it answers nothing, let the stopped go on
    """
    known = ACTIONS.get(action)
    if known is None:
        raise UsageError(f"unknown action {action!r}{_meant(action)}; there are {_actions()}")
    value = _checked(action, known, " ".join(values) if values else None)
    steps = value.split() if value in GATES else [value] if value else []
    path = "/".join([known.path, *(quote(step, safe="") for step in steps)])
    answer = ask(admin, known.method, path, PATIENCE)
    write(answer, "\n".join(readable(answer)), json_to)
    return 0


def _checked(action: str, known: Action, value: str | None) -> str | None:
    """See that `value` may follow `action`; give it as the server is to have it."""
    if not known.values:
        if value is not None:
            raise UsageError(f"ctl {action} takes nothing after it: {value!r}")
    elif known.values == (HOTFIX,):
        from vaultstorm_server.hotfixes import HOTFIXES, find

        if value is None:
            there = ", ".join(HOTFIXES)
            raise UsageError(f"write: ctl {_usage(action)}, where {HOTFIX} is one of {there}")
        return find(value)
    elif value is None or (value not in known.values and known.values != (ASSIGNMENT,)):
        raise UsageError(f"write: ctl {_usage(action)}")
    elif known.values == (ASSIGNMENT,):
        from vaultstorm_server.admin import assignment
        from vaultstorm_server.settings import AppPool

        assignment.read(value, AppPool())
    return value


def _meant(action: str) -> str:
    from vaultstorm_server.configuration import nearest

    near = nearest(action, ACTIONS)
    return f", did you mean {near}?" if near else ""


def readable(value: Any, indent: str = "") -> list[str]:
    """Lay JSON out as lines: names in a column, what is nested indented."""
    if isinstance(value, dict):
        width = max((len(str(name)) for name in value), default=0)
        lines = []
        for name, inner in value.items():
            if isinstance(inner, dict | list) and inner:
                lines += [f"{indent}{name}", *readable(inner, f"{indent}  ")]
            else:
                lines.append(f"{indent}{str(name).ljust(width)}  {_scalar(inner)}")
        return lines
    if isinstance(value, list):
        lines = []
        for inner in value:
            first, *rest = readable(inner, f"{indent}  ") or [f"{indent}  -"]
            lines += [f"{indent}- {first[len(indent) + 2 :]}", *rest]
        return lines
    return [f"{indent}{_scalar(value)}"]


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    return "-" if value is None or value in ([], {}, "") else str(value)


def _actions() -> str:
    return ", ".join(map(_usage, ACTIONS))


def _usage(action: str) -> str:
    values = "|".join(ACTIONS[action].values).replace("|".join(GATES), GATE)
    return f"{action} {values}".rstrip()
