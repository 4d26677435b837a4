"""`vaultstorm doctor`."""

import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vaultstorm.cli.output import JsonTo, write

if TYPE_CHECKING:
    from vaultstorm.doctor import Finding, Wanted

COLUMNS: Final = 80


def doctor(
    clients: Annotated[int, typer.Option(metavar="N", min=1, help="Size of the burst.")] = 1000,
    port: Annotated[
        int,
        typer.Option(metavar="PORT", min=1, max=65535, help="Port that a server is to have here."),
    ] = 443,
    admin_port: Annotated[
        int,
        typer.Option(
            metavar="PORT", min=1, max=65535, help="Port that its control plane is to have."
        ),
    ] = 8079,
    json_to: JsonTo = None,
) -> int:
    """Say whether this machine is fit for a burst, and how to make it so.

    ok is fine, warn may distort what is measured, bad stands in the way and makes the exit code 1.
    """
    from vaultstorm import machine
    from vaultstorm.doctor import Wanted, examine, fit

    wanted = Wanted(clients=clients, port=port, admin_port=admin_port)
    findings = examine(machine.read(), wanted)
    result = {
        "schema": 1,
        "clients": clients,
        "fit": fit(findings),
        "findings": [asdict(finding) for finding in findings],
    }
    write(result, _text(findings, wanted, fit(findings)), json_to)
    return 0 if fit(findings) else 1


def _text(findings: "list[Finding]", wanted: "Wanted", fits: bool) -> str:
    name_width = max(len(finding.name) for finding in findings)
    margin = " " * (name_width + 8)
    lines = []
    for finding in findings:
        lines.append(f"{finding.level:<4}  {finding.name:<{name_width}}  {finding.value}")
        lines += textwrap.wrap(
            finding.why, COLUMNS, initial_indent=margin, subsequent_indent=margin
        )
        if finding.fix:
            lines.append(f"{margin}$ {finding.fix}")
    verdict = "fit" if fits else "not fit"
    lines += ["", f"this machine is {verdict} for a burst of {wanted.clients} clients"]
    return "\n".join(lines)
