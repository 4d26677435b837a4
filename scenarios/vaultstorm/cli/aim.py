"""What the commands that connect have in common: where to, and whom to trust there."""

from typing import Annotated, Final

import typer

TRUST: Final = "Whom to aim at, and to trust"
"""The group of these options."""

Url = Annotated[
    str,
    typer.Argument(metavar="URL", help="https://, http://, tcp:// or rpc://", show_default=False),
]
"""The target."""

Insecure = Annotated[
    bool, typer.Option("--insecure", rich_help_panel=TRUST, help="Take any certificate.")
]
"""Whether certificates are verified."""

AllowRemote = Annotated[
    bool,
    typer.Option(
        "--allow-remote",
        rich_help_panel=TRUST,
        help="Accept addresses beyond loopback and private ones.",
    ),
]
"""Whether load may leave what is certainly one's own."""
