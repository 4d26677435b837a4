"""The settings of the RPC runtime and of COM, and those that an AppID has of its own."""

import re
from typing import Annotated, Final

from msgspec import Meta, Struct

from vaultstorm_server.annotations import DWORD_MAX, FOREVER, seconds, size

MAX_CALLS_DEFAULT: Final = 10
"""RPC_C_PROTSEQ_MAX_REQS_DEFAULT of Server 2003: what COM asks listen() for (KB960007)."""
MAX_CALLS_MAX: Final = 100
"""The highest RpcProtSeqMaxCalls (KB960007)."""

_PORT = r"([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])"
_RANGE = re.compile(r"(\d+)(?: *- *(\d+))?")


class Rpc(Struct, frozen=True, forbid_unknown_fields=True):
    """RPCSS and the object exporters, over ncacn_ip_tcp."""

    KB960007: Annotated[
        int,
        Meta(ge=0, le=1, description="1: RpcProtSeqMaxCalls of an AppID is read"),
    ] = 0
    ResolverBacklog: Annotated[
        int,
        Meta(
            ge=1,
            le=65535,
            description="what RPCSS passes to listen() for its port; no source gives it",
        ),
    ] = 200  # the edition's most: KB960007's recipe helps only if port 135 is not the narrower one
    ResolverAcceptInterval: Annotated[
        float, seconds(0, 3600, "between two accepts of RPCSS; 0: all, once per loop turn")
    ] = 0.0
    AcceptInterval: Annotated[
        float,
        seconds(0, 3600, "between two accepts of an object exporter; 0: all, once per loop turn"),
    ] = 0.0
    CallTime: Annotated[float, seconds(0, 3600, "that a call of the demonstration takes")] = 0.0
    CallLimit: Annotated[
        int,
        Meta(
            ge=1,
            le=DWORD_MAX,
            description="calls in progress of an application; more get nca_server_too_busy",
        ),
    ] = 1234  # RPC_C_LISTEN_MAX_CALLS_DEFAULT
    MaxObjects: Annotated[
        int, Meta(ge=1, le=10**7, description="objects at once; more get E_OUTOFMEMORY")
    ] = 100_000
    Ports: Annotated[
        str,
        Meta(
            pattern=rf"^( *{_PORT} *(- *{_PORT} *)?(,(?!$)|$))*$",
            description="of object exporters, as in Rpc\\Internet; empty: any that is free",
            extra={"form": "ports and ranges such as 5000-5010,5141"},
        ),
    ] = ""
    MaxFragment: Annotated[
        int, size(1432, 65535, "longest fragment that is offered (MustRecvFragSize is the least)")
    ] = 5840
    PingPeriod: Annotated[
        float, seconds(0.01, FOREVER, "in which the objects of a ping set are pinged (MS-DCOM)")
    ] = 120.0
    PingMisses: Annotated[
        int, Meta(ge=1, le=1000, description="missed pings after which a set expires (MS-DCOM)")
    ] = 3

    @property
    def port_ranges(self) -> tuple[range, ...]:
        """The ports that `Ports` names, in its order; none: any that is free."""
        found = (_RANGE.fullmatch(part.strip()) for part in self.Ports.split(","))
        ends = [(int(m[1]), int(m[2] or m[1])) for m in found if m]
        return tuple(range(min(pair), max(pair) + 1) for pair in ends)


class AppId(Struct, frozen=True, forbid_unknown_fields=True):
    """What stands under HKEY_CLASSES_ROOT\\AppID\\{guid}."""

    RpcProtSeqMaxCalls: Annotated[
        int,
        Meta(
            ge=0,
            le=DWORD_MAX,
            description="what COM asks listen() for, 1 to 100; read with rpc.KB960007 only",
        ),
    ] = MAX_CALLS_DEFAULT
