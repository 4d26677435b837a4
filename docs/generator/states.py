"""State diagrams, drawn from the tables that the code itself goes by."""

import textwrap
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple, TypeVar

from docs.generator.drawing import Drawing
from vaultstorm_server.w3svc import states as worker_states
from vaultstorm_wire.dcerpc import states as rpc_states

State = TypeVar("State", bound=StrEnum)
Change = TypeVar("Change", bound=StrEnum)
_BOX: Final = (128, 40)
_LINE: Final = 16
_LINE_LENGTH: Final = 27


class Arrow(NamedTuple):
    """Where the arrow between two states runs, and where its label stands."""

    path: str
    x: float
    y: float
    anchor: str = "middle"


_WORKER_AT: Final = {
    "starting": (20, 90),
    "serving": (300, 90),
    "shutting down": (300, 260),
    "dead": (610, 260),
}
_WORKER_ARROWS: Final = {
    ("starting", "serving"): Arrow("M148 110L298 110", 223, 102),
    ("starting", "shutting down"): Arrow("M84 130C84 200 180 280 298 280", 100, 236, "end"),
    ("starting", "dead"): Arrow("M84 90C84 20 674 -10 674 258", 380, 28),
    ("serving", "shutting down"): Arrow("M364 130L364 258", 376, 196, "start"),
    ("serving", "dead"): Arrow("M428 110C560 110 640 160 656 258", 560, 126, "start"),
    ("shutting down", "dead"): Arrow("M428 280L608 280", 518, 272),
    ("shutting down", "shutting down"): Arrow("M330 300C320 350 400 350 392 302", 364, 358),
}
_RPC_AT: Final = {
    "established": (16, 120),
    "binding": (216, 120),
    "bound": (470, 120),
    "altering": (800, 120),
    "refused": (216, 270),
    "closed": (470, 400),
}
_RPC_ARROWS: Final = {
    ("established", "binding"): Arrow("M144 140L214 140", 179, 132),
    ("established", "closed"): Arrow("M80 160C80 330 200 420 468 420", 128, 350, "end"),
    ("binding", "bound"): Arrow("M344 140L468 140", 406, 132),
    ("binding", "refused"): Arrow("M260 160L260 268", 252, 218, "end"),
    ("binding", "closed"): Arrow("M300 160C300 230 430 300 500 398", 396, 252, "start"),
    ("bound", "bound"): Arrow("M500 120C490 74 578 74 568 118", 534, 74),
    ("bound", "altering"): Arrow("M598 130L798 130", 698, 122),
    ("bound", "closed"): Arrow("M534 160L534 398", 544, 230, "start"),
    ("altering", "bound"): Arrow("M800 150L600 150", 698, 184),
    ("altering", "altering"): Arrow("M830 120C820 74 908 74 898 118", 864, 74),
    ("altering", "refused"): Arrow("M848 160C820 260 600 290 346 290", 700, 286),
    ("altering", "closed"): Arrow("M880 160C880 330 780 420 600 420", 858, 320, "start"),
    ("refused", "closed"): Arrow("M280 310C290 370 380 400 468 412", 316, 344, "start"),
    ("closed", "closed"): Arrow("M500 440C490 490 578 490 568 442", 534, 496),
}


def worker() -> str:
    """Draw a worker process's life as W3SVC sees it."""
    d = Drawing(
        "worker-states",
        (760, 390),
        "A worker process's life",
        "Generated from vaultstorm_server/w3svc/states.py: the states starting, serving, shutting "
        "down and dead, and what leads from one to another.",
    )
    _draw(d, worker_states.TRANSITIONS, _WORKER_AT, _WORKER_ARROWS, {"dead": "bad"})
    return str(d)


def association() -> str:
    """Draw what may follow what on a connection of DCE/RPC."""
    d = Drawing(
        "rpc-states",
        (960, 506),
        "A connection of DCE/RPC",
        "Generated from vaultstorm_wire/dcerpc/states.py: the states established, binding, bound, "
        "altering, refused and closed, and the PDUs that lead from one to another.",
    )
    _draw(d, rpc_states.TRANSITIONS, _RPC_AT, _RPC_ARROWS, {"closed": "bad"})
    return str(d)


def _draw(
    d: Drawing,
    table: Mapping[State, Mapping[Change, State]],
    at: Mapping[str, tuple[int, int]],
    arrows: Mapping[tuple[str, str], Arrow],
    kinds: Mapping[str, str],
) -> None:
    """Draw every transition of a table: one that has no place here is a KeyError."""
    labels: dict[tuple[str, str], list[Change]] = {}
    for state, changes in table.items():
        for change, after in changes.items():
            labels.setdefault((str(state), str(after)), []).append(change)
    for ends, found in labels.items():
        d.line(arrows[ends].path)
        in_order = list(type(found[0]))
        lines = _wrapped([str(change) for change in sorted(found, key=in_order.index)])
        for nth, line in enumerate(lines):
            y = arrows[ends].y - (len(lines) - 1 - nth) * _LINE
            d.text(arrows[ends].x, y, line, style="small", anchor=arrows[ends].anchor)
    for state in table:
        x, y = at[str(state)]
        d.box(x, y, *_BOX, str(state), kind=kinds.get(str(state), ""))


def _wrapped(words: list[str]) -> list[str]:
    """Put words into lines that are not much longer than a box."""
    return textwrap.wrap(", ".join(words), _LINE_LENGTH)
