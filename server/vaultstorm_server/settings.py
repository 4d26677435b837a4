"""Every setting of the server, by its registry or metabase name where it has one.

One frozen struct per section of the TOML file. A field's `Meta` carries its range, its
documentation, and the unit of a bare number. Values inside are seconds, bytes and counts.
"""

from typing import Annotated

from msgspec import Meta, Struct

from vaultstorm_server.annotations import DWORD_MAX, FOREVER, Switch, seconds, size
from vaultstorm_server.rpc_settings import AppId, Rpc

__all__ = [
    "Afd",
    "AppId",
    "AppPool",
    "HttpSys",
    "Rpc",
    "Settings",
    "Tcpip",
    "Vault",
]

RESTART_TIME_MAX = 71582 * 60.0
"""Seconds: the most minutes whose milliseconds a DWORD holds."""


class Afd(Struct, frozen=True, forbid_unknown_fields=True):
    """AFD.SYS: KB142641 and KB960007 for the names and the ranges."""

    Backlog: Annotated[
        int, Meta(ge=1, le=65535, description="what the application passes to listen()")
    ] = 10  # RPC_C_PROTSEQ_MAX_REQS_DEFAULT on Server 2003 (KB960007)
    MaximumStaticBacklog: Annotated[
        int,
        Meta(
            ge=1,
            le=65535,
            description="what the edition of Windows allows: Server 200 (KB127144), Workstation 5",
        ),
    ] = 200
    EnableDynamicBacklog: Switch = 0
    MinimumDynamicBacklog: Annotated[
        int, Meta(ge=0, le=DWORD_MAX, description="free connections below which more are made")
    ] = 0
    MaximumDynamicBacklog: Annotated[
        int, Meta(ge=0, le=DWORD_MAX, description="most free plus half-open connections")
    ] = 0
    DynamicBacklogGrowthDelta: Annotated[
        int, Meta(ge=0, le=DWORD_MAX, description="free connections made each time")
    ] = 0
    GrowthLag: Annotated[
        float, seconds(0, 60, "from noticing the shortage to having more; no source gives it")
    ] = 0.0
    Slack: Annotated[
        int, Meta(ge=0, le=2, description="connections above the backlog that still fit (KB113576)")
    ] = 0
    KB951162: Annotated[
        int, Meta(ge=0, le=1, description="1: growth makes MaximumDynamicBacklog, not Delta")
    ] = 0
    AcceptInterval: Annotated[
        float,
        seconds(0, 3600, "between two accepts of the application; 0: all, once per loop turn"),
    ] = 0.0


class Tcpip(Struct, frozen=True, forbid_unknown_fields=True):
    """The Tcpip service: when a connection that finds no room is told so."""

    SynAttackProtect: Annotated[
        int, Meta(ge=0, le=1, description="1 (2003 SP1): handshake, then RST. 0: RST to the SYN")
    ] = 1
    Overflow: Annotated[
        str,
        Meta(pattern="^(windows|reset|refuse|drop)$", description="windows: by SynAttackProtect"),
    ] = "windows"
    TcpMaxPortsExhausted: Annotated[
        int,
        Meta(
            ge=0,
            le=65535,
            description="refused connections from which SynAttackProtect acts; 0: from the first",
        ),
    ] = 0  # the form of 2003 SP1 (KB903927); Windows 2000 documents 5 (KB142641)

    @property
    def style(self) -> str:
        """What a connection meets that finds no room.

        ``reset``, ``refuse``, ``drop``, or ``exhausted``: refused at first, reset after that.
        """
        if self.Overflow != "windows":
            return self.Overflow
        if not self.SynAttackProtect:
            return "refuse"
        return "exhausted" if self.TcpMaxPortsExhausted else "reset"


class HttpSys(Struct, frozen=True, forbid_unknown_fields=True):
    """HTTP.SYS: KB820129 for the limits, KB820729 for the log, ms525597 for the timers."""

    MaxFieldLength: Annotated[int, size(64, 65534, "longest header field")] = 16384
    MaxRequestBytes: Annotated[int, size(256, 16777216, "longest request line and headers")] = 16384
    UrlSegmentMaxLength: Annotated[
        int, Meta(ge=0, le=32766, description="longest URL segment, in characters")
    ] = 260
    UrlSegmentMaxCount: Annotated[int, Meta(ge=0, le=16383, description="most URL segments")] = 255
    MaxRequestEntityAllowed: Annotated[int, size(0, DWORD_MAX, "longest request body")] = 16 << 20
    ConnectionTimeout: Annotated[
        float, seconds(0.01, FOREVER, "longest idle time of a connection, and of a body")
    ] = 120.0
    HeaderWaitTimeout: Annotated[
        float, seconds(0, FOREVER, "longest time for a whole head; 0: ConnectionTimeout")
    ] = 0.0
    MinBytesPerSecond: Annotated[
        int, Meta(ge=0, le=DWORD_MAX, description="slowest reader of an answer; 0: any")
    ] = 240  # MinFileBytesPerSec of the metabase (cc738006)
    AllowKeepAlive: Switch = 1
    MaxConnections: Annotated[
        int, Meta(ge=1, le=DWORD_MAX, description="connections of the site; more get 503 ConnLimit")
    ] = DWORD_MAX
    KB908739: Annotated[
        int,
        Meta(
            ge=0,
            le=1,
            description="1: a request bound to a worker that shuts down goes to the next worker",
        ),
    ] = 0
    AbandonedRequest: Annotated[
        str,
        Meta(
            pattern="^(close|reset|stall)$",
            description="what a client sees of a request that a worker took with it: FIN, RST or "
            "silence; no source says which",
        ),
    ] = "close"
    EnableErrorLogging: Switch = 1
    ErrorLoggingDir: Annotated[
        str,
        Meta(description="where HTTPERR is written; empty: beside the journal or the state"),
    ] = ""
    ErrorLogFileTruncateSize: Annotated[
        int, size(1 << 20, DWORD_MAX, "size at which the next httperrN.log begins")
    ] = 1 << 20
    TLS: Annotated[
        int, Meta(ge=0, le=1, description="1: HTTPS. 0: plain HTTP on the same port")
    ] = 1


class AppPool(Struct, frozen=True, forbid_unknown_fields=True):
    """An application pool: metabase names, units and defaults (IIS 6 SDK; ms525149, cc787620).

    What happens where the sources disagree: PingInterval 30 s and not 240, PeriodicRestartTime 1740
    min and not 60, RapidFailProtectionInterval 5 min and not 10.
    """

    Name: Annotated[str, Meta(min_length=1, max_length=255, description="in logs")] = (
        "DefaultAppPool"
    )
    MaxProcesses: Annotated[int, Meta(ge=1, le=64, description="worker processes")] = 1
    AppPoolQueueLength: Annotated[
        int, Meta(ge=10, le=65535, description="requests that may wait for a worker")
    ] = 1000
    PendingReceives: Annotated[
        int,
        Meta(ge=1, le=10000, description="requests a worker takes on at once; no source gives it"),
    ] = 256
    DemandStart: Annotated[
        int,
        Meta(ge=0, le=1, description="1: as IIS 6, on the first request. 0: with the pool"),
    ] = 0
    StartupTimeLimit: Annotated[float, seconds(0.1, FOREVER, "longest start of a worker")] = 90.0
    ShutdownTimeLimit: Annotated[float, seconds(0.1, FOREVER, "longest end of a worker")] = 90.0
    IdleTimeout: Annotated[
        float, seconds(0, RESTART_TIME_MAX, "idle time after which a worker ends; 0: none", "min")
    ] = 20 * 60.0
    PeriodicRestartTime: Annotated[
        float, seconds(0, RESTART_TIME_MAX, "age at which a worker is recycled; 0: none", "min")
    ] = 1740 * 60.0
    PeriodicRestartRequests: Annotated[
        int, Meta(ge=0, le=DWORD_MAX, description="requests after which it is recycled; 0: none")
    ] = 0
    PeriodicRestartSchedule: Annotated[
        str,
        Meta(
            pattern=r"^( *([01][0-9]|2[0-3]):[0-5][0-9] *(,(?!$)|$))*$",
            description="when workers are recycled, every day",
            extra={"form": "local times of day such as 03:00,15:30"},
        ),
    ] = ""
    PeriodicRestartMemory: Annotated[
        int, size(0, DWORD_MAX << 10, "virtual memory that recycles a worker; 0: any", "KiB")
    ] = 0
    PeriodicRestartPrivateMemory: Annotated[
        int, size(0, DWORD_MAX << 10, "private memory that recycles a worker; 0: any", "KiB")
    ] = 0
    DisallowOverlappingRotation: Annotated[
        int, Meta(ge=0, le=1, description="1: the old worker ends before the new one starts")
    ] = 0
    DisallowRotationOnConfigChange: Annotated[
        int, Meta(ge=0, le=1, description="1: a changed setting recycles nothing")
    ] = 0
    LogEventOnRecycle: Annotated[
        int,
        Meta(
            ge=0,
            le=255,
            description="1 time, 2 requests, 4 schedule, 8 virtual memory, 16 unhealthy ISAPI, "
            "32 on demand, 64 configuration, 128 private memory: which the event log tells",
        ),
    ] = 0
    PingingEnabled: Switch = 1
    PingInterval: Annotated[float, seconds(0.01, FOREVER, "between two pings of a worker")] = 30.0
    PingResponseTime: Annotated[float, seconds(0.01, FOREVER, "longest answer to a ping")] = 60.0
    RapidFailProtection: Switch = 1
    RapidFailProtectionMaxCrashes: Annotated[
        int, Meta(ge=1, le=DWORD_MAX, description="failures that turn the pool off")
    ] = 5
    RapidFailProtectionInterval: Annotated[
        float, seconds(0.01, FOREVER, "time in which they have to fall", "min")
    ] = 5 * 60.0
    LoadBalancerCapabilities: Annotated[
        int, Meta(ge=1, le=2, description="of a pool that is off: 2 sends 503, 1 resets (cc785398)")
    ] = 2
    OrphanWorkerProcess: Annotated[
        int, Meta(ge=0, le=1, description="1: a worker that fails is let go of, not killed")
    ] = 0
    OrphanActionExe: Annotated[
        str, Meta(description="run when a worker is let go of; empty: nothing")
    ] = ""
    OrphanActionParams: Annotated[
        str, Meta(description="its arguments; %1% is the worker's process id")
    ] = ""


class Vault(Struct, frozen=True, forbid_unknown_fields=True):
    """The vault ISAPI (TECH39579). No source gives any of its numbers: they are our choice."""

    TECH39579: Annotated[
        int,
        Meta(ge=0, le=1, description="1: interface entries are counted, not flagged (hotfix 12)"),
    ] = 0
    Directory: Annotated[
        str,
        Meta(
            description="where blocks and snapshots are kept; empty: a temporary directory that "
            "is removed at the end (after kill -9 it stays)"
        ),
    ] = ""
    Quota: Annotated[int, size(0, 1 << 50, "bytes that are kept; 0: any")] = 1 << 30
    MaxBlockSize: Annotated[int, size(1, 1 << 30, "longest block")] = 1 << 20
    MaxInterfaces: Annotated[
        int, Meta(ge=1, le=10**6, description="entries of the interface table")
    ] = 1000
    InterfaceMemory: Annotated[int, size(0, 1 << 30, "memory that an entry holds")] = 64 << 10
    InterfaceIdleTime: Annotated[
        float, seconds(0, FOREVER, "time without a call after which an interface is released")
    ] = 300.0
    DoCleanUpPeriod: Annotated[float, seconds(0.001, FOREVER, "between two runs of DoCleanUp")] = (
        1.0
    )
    IsapiThreads: Annotated[
        int, Meta(ge=1, le=1000, description="threads that run the vault's methods")
    ] = 32
    DiskRate: Annotated[
        int, size(0, 1 << 40, "bytes a second that each method reads or writes; 0: as the disk can")
    ] = 0
    CorruptionCrash: Annotated[
        float,
        Meta(ge=0, le=1, description="how probably a touched entry that was released is a crash"),
    ] = 0.0
    Seed: Annotated[
        int, Meta(ge=0, le=DWORD_MAX, description="of what CorruptionCrash leaves to chance")
    ] = 0
    PingBlockedByHang: Annotated[
        int, Meta(ge=0, le=1, description="1: a ping needs a free ISAPI thread to be answered")
    ] = 0
    ReportUnhealthy: Annotated[
        int,
        Meta(ge=0, le=1, description="1: a full table is reported (HSE_REQ_REPORT_UNHEALTHY)"),
    ] = 0


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole configuration."""

    afd: Afd = Afd()
    tcpip: Tcpip = Tcpip()
    httpsys: HttpSys = HttpSys()
    apppool: AppPool = AppPool()
    vault: Vault = Vault()
    rpc: Rpc = Rpc()
    AppID: dict[str, AppId] = {}
    """By guid, in lower case and without braces."""
