"""`vaultstorm ctl`: tells a running server what to do."""

from typing import Annotated, Any, Final, NamedTuple

import typer

from vaultstorm.cli.output import JsonTo, write
from vaultstorm.control import ADMIN, ask
from vaultstorm_wire.errors import UsageError


class Action(NamedTuple):
    """How an action is asked for: `values` are what may follow it, as the end of the path."""

    method: str
    path: str
    values: tuple[str, ...] = ()


ACTIONS: Final = {
    "status": Action("GET", "/status"),
    "gate": Action("POST", "/gate", ("open", "closed")),
}


def ctl(
    action: Annotated[str, typer.Argument(help="status, or gate.", show_default=False)],
    value: Annotated[
        str | None, typer.Argument(help="For gate: open or closed.", show_default=False)
    ] = None,
    admin: Annotated[str, typer.Option(metavar="URL", help="The server's control plane.")] = ADMIN,
    json_to: JsonTo = None,
) -> int:
    """Show or change a running server: status, gate open, gate closed.

    A closed gate holds the application's accepts back; the accept queue goes on filling.
    """
    known = ACTIONS.get(action)
    if known is None:
        raise UsageError(f"unknown action {action!r}; there are {_actions()}")
    if known.values and value not in known.values:
        raise UsageError(f"write: ctl {action} {'|'.join(known.values)}")
    if not known.values and value is not None:
        raise UsageError(f"ctl {action} takes nothing after it: {value!r}")
    answer = ask(admin, known.method, f"{known.path}/{value}" if value else known.path)
    write(answer, "\n".join(readable(answer)), json_to)
    return 0


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
    return ", ".join(
        f"{name} {'|'.join(action.values)}".rstrip() for name, action in ACTIONS.items()
    )
