"""`vaultstorm probe`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaultstorm.cli.aim import TRUST, AllowRemote, Insecure, Url
from vaultstorm.cli.output import JsonTo, write
from vaultstorm_wire.errors import UsageError

if TYPE_CHECKING:
    from vaultstorm_client.layers import Layer, Report


def probe(
    url: Url,
    path: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="What to ask for. [default: the path of the URL]"),
    ] = None,
    timeout: Annotated[
        str, typer.Option(metavar="DURATION", help="Longest time of each layer.")
    ] = "10s",
    ca: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            rich_help_panel=TRUST,
            help="Trust the authorities in this file.",
        ),
    ] = None,
    insecure: Insecure = False,
    allow_remote: AllowRemote = False,
    json_to: JsonTo = None,
) -> int:
    """Make one connection, and say layer by layer what works and what a failure means."""
    from vaultstorm_client import probe as client

    options = client.Options(timeout=_timeout(timeout), path=path, ca=ca, insecure=insecure)
    report = client.probe(url, options, allow_remote)
    write(as_json(report), as_text(report), json_to)
    return 0 if report.ok else 1


def _timeout(text: str) -> float:
    from vaultstorm_wire import units

    try:
        seconds = units.duration(text)
    except ValueError as error:
        raise UsageError(f"--timeout: {error}") from error
    if not 0.001 <= seconds <= 3600:
        raise UsageError(f"--timeout {text} is out of range: 1 ms to 3600 s")
    return seconds


def as_json(report: "Report") -> dict[str, Any]:
    """Make what ``--json`` writes."""
    return {
        "schema": 1,
        "target": report.target,
        "ok": report.ok,
        "layers": [
            {
                "layer": layer.layer,
                "outcome": layer.outcome,
                "ms": round(layer.seconds * 1000, 3),
                "seen": layer.seen,
                **({"means": layer.means} if layer.means else {}),
            }
            for layer in report.layers
        ],
    }


def as_text(report: "Report") -> str:
    """Make what a person reads: a line per layer, what it showed below, the meaning last."""
    lines = [report.target]
    for layer in report.layers:
        lines += _layer_lines(layer)
    failed = next((layer for layer in report.layers if not layer.ok), None)
    lines.append("")
    if failed is None:
        lines.append("every layer works")
    else:
        lines.append(f"{failed.layer} fails with {failed.outcome}: {failed.means}")
    return "\n".join(lines)


def _layer_lines(layer: "Layer") -> list[str]:
    word = "ok" if layer.ok else f"FAILED {layer.outcome}"
    lines = [f"  {layer.layer:<8} {word:<22} {layer.seconds * 1000:>9.1f} ms"]
    width = max((len(name) for name in layer.seen), default=0)
    for name, value in layer.seen.items():
        # What a peer sent may not write to the terminal.
        shown = value if value.isprintable() else ascii(value)[1:-1]
        lines.append(f"           {name:<{width}}  {shown}")
    return lines
