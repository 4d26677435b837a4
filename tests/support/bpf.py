"""The classic BPF program that lets in what a capture is about (linux/filter.h).

Offsets count from the network header: the packet socket is of type SOCK_DGRAM.
"""

from typing import Final, NamedTuple

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04

_LDB_ABS: Final = 0x30
_LDH_ABS: Final = 0x28
_LDB_IND: Final = 0x50
_LDH_IND: Final = 0x48
_LDXB_MSH: Final = 0xB1  # X = 4 * (byte & 0xf): the length of an IPv4 head
_LDX_IMM: Final = 0x01
_RSH: Final = 0x74
_JA: Final = 0x05
_JEQ: Final = 0x15
_JSET: Final = 0x45
_RET: Final = 0x06

_TCP: Final = 6
_UDP: Final = 17
_WHOLE: Final = 0x40000

_Label = str | None  # where to go; None is the next instruction


class Instruction(NamedTuple):
    """One ``struct sock_filter``."""

    code: int
    jt: int
    jf: int
    k: int


class _Line(NamedTuple):
    code: int
    k: int = 0
    yes: _Label = None
    no: _Label = None
    label: str = ""


def control_packets(port: int | None, mask: int, marker_port: int) -> list[Instruction]:
    """Let in TCP segments of `port` with a flag of `mask`, and UDP to `marker_port`.

    Args:
        port: at either end; None for all.
        mask: TCP flags, one of which must be set.
        marker_port: where the capture sends its own marker packets (IPv4).
    """
    ports = [
        _Line(_LDH_IND, 0),
        _Line(_JEQ, port or 0, "flags"),
        _Line(_LDH_IND, 2),
        _Line(_JEQ, port or 0, "flags", "drop"),
    ]
    return _assemble(
        [
            _Line(_LDB_ABS, 0),
            _Line(_RSH, 4),
            _Line(_JEQ, 6, "v6"),
            _Line(_JEQ, 4, None, "drop"),
            _Line(_LDH_ABS, 6),
            _Line(_JSET, 0x1FFF, "drop"),  # a later fragment has no ports
            _Line(_LDXB_MSH, 0),
            _Line(_LDB_ABS, 9),
            _Line(_JEQ, _TCP, "tcp"),
            _Line(_JEQ, _UDP, None, "drop"),
            _Line(_LDH_IND, 2),
            _Line(_JEQ, marker_port, "keep", "drop"),
            _Line(_LDX_IMM, 40, label="v6"),
            _Line(_LDB_ABS, 6),
            _Line(_JEQ, _TCP, "tcp", "drop"),
            _Line(_JA, 0, label="tcp"),
            *(ports if port is not None else []),
            _Line(_LDB_IND, 13, label="flags"),
            _Line(_JSET, mask, "keep", "drop"),
            _Line(_RET, _WHOLE, label="keep"),
            _Line(_RET, 0, label="drop"),
        ]
    )


def _assemble(lines: list[_Line]) -> list[Instruction]:
    """Turn labels into distances."""
    places = {line.label: at for at, line in enumerate(lines) if line.label}

    def distance(at: int, label: _Label) -> int:
        return places[label] - at - 1 if label else 0

    return [
        Instruction(line.code, distance(at, line.yes), distance(at, line.no), line.k)
        for at, line in enumerate(lines)
    ]
