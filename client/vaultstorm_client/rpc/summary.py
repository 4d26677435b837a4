"""What of a burst at an ``rpc://`` target failed at which port, in Windows' own words."""

import textwrap
from typing import Any, Final

from vaultstorm_client.rpc.exporters import NOWHERE
from vaultstorm_wire.outcome import message_of

WIDTH: Final = 96
_UNUSABLE: Final = "no address it may go to"
_PEERS: Final = 3
"""Addresses that are named in a row."""


def rpc_lines(rpc: dict[str, dict[str, Any]]) -> list[str]:
    """Give a row for each operation, and one for each HRESULT with its message and where it was."""
    lines = [f"  {'operation':<12}{'attempts':>9}{'ok':>9}{'lost':>9}   port"]
    for name, ours in rpc.items():
        counts = "".join(f"{ours[key]:>9}" for key in ("attempts", "ok", "lost"))
        lines.append(f"  {name:<12}{counts}   {_peers(ours['peers'])}")
    failed = [
        (hresult, count, name, ours["peers"])
        for name, ours in rpc.items()
        for hresult, count in ours["errors"].items()
    ]
    for hresult, count, name, peers in failed:
        message = message_of(hresult) or "(no message of Windows is known here for it)"
        where = f" ({_peers(peers)})" if len(peers) == 1 else ""  # of several: which is not known
        said = f"{hresult} {count} x at the {name}{where}: {message}"
        lines += textwrap.wrap(
            said,
            WIDTH,
            initial_indent="  ",
            subsequent_indent="      ",
            break_on_hyphens=False,
        )
    return lines


def _peers(peers: list[str]) -> str:
    shown = ", ".join(_UNUSABLE if peer == NOWHERE else peer for peer in peers[:_PEERS])
    return f"{shown}, ..." if len(peers) > _PEERS else shown or "-"
