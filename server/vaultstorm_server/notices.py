"""Settings that are allowed and do nothing, or less than they seem to: said once, at the start."""

from collections.abc import Iterator, Sequence
from typing import Final

from vaultstorm_server.rpc_settings import MAX_CALLS_DEFAULT, MAX_CALLS_MAX
from vaultstorm_server.rpcss.applications import applications
from vaultstorm_server.settings import Afd, AppPool, HttpSys, Settings, Tcpip, Vault

NAMED_MAX: Final = 3
"""AppIDs that one sentence names; more are counted."""


def notices(settings: Settings, rpc: bool = True) -> list[str]:
    """Say, a sentence each, what in `settings` will silently have no effect.

    Args:
        settings: of the whole server.
        rpc: it serves RPC.
    """
    return [
        *_backlog(settings.afd),
        *_tcpip(settings.tcpip),
        *(_rpc(settings) if rpc else ()),
        *_httpsys(settings.httpsys),
        *_apppool(settings.apppool),
        *_vault(settings),
    ]


def _backlog(afd: Afd) -> Iterator[str]:
    if afd.Backlog > afd.MaximumStaticBacklog:
        yield (
            f"afd.Backlog {afd.Backlog} is cut to MaximumStaticBacklog "
            f"{afd.MaximumStaticBacklog} (KB127144)"
        )
    if not afd.EnableDynamicBacklog:
        idle = [
            name
            for name in (
                "MinimumDynamicBacklog",
                "MaximumDynamicBacklog",
                "DynamicBacklogGrowthDelta",
                "GrowthLag",
                "KB951162",
            )
            if getattr(afd, name)
        ]
        if idle:
            have = "has" if len(idle) == 1 else "have"
            yield f"afd.{', '.join(idle)} {have} no effect without afd.EnableDynamicBacklog=1"
        return
    without = "afd.EnableDynamicBacklog has no effect: "
    if afd.Backlog <= afd.MinimumDynamicBacklog:
        yield (
            f"afd.EnableDynamicBacklog has no effect for HTTP: afd.Backlog asks listen() for "
            f"{afd.Backlog}, which does not exceed MinimumDynamicBacklog "
            f"{afd.MinimumDynamicBacklog} (KB142641)"
        )
    if not afd.MinimumDynamicBacklog:
        yield f"{without}free connections cannot fall below MinimumDynamicBacklog 0 (KB142641)"
    if not afd.DynamicBacklogGrowthDelta and not afd.KB951162:
        yield f"{without}DynamicBacklogGrowthDelta 0 adds nothing (KB142641)"
    elif afd.DynamicBacklogGrowthDelta > afd.MaximumDynamicBacklog or not afd.MaximumDynamicBacklog:
        yield (
            f"{without}one growth of {afd.DynamicBacklogGrowthDelta} would exceed "
            f"MaximumDynamicBacklog {afd.MaximumDynamicBacklog} (KB142641)"
        )


def _tcpip(tcpip: Tcpip) -> Iterator[str]:
    if tcpip.TcpMaxPortsExhausted and tcpip.style != "exhausted":
        because = (
            f"with tcpip.Overflow={tcpip.Overflow}"
            if tcpip.Overflow != "windows"
            else "without tcpip.SynAttackProtect=1"
        )
        yield f"tcpip.TcpMaxPortsExhausted has no effect {because}"


def _rpc(settings: Settings) -> Iterator[str]:
    afd, rpc, value = settings.afd, settings.rpc, "RpcProtSeqMaxCalls"
    if rpc.ResolverBacklog > afd.MaximumStaticBacklog:
        yield (
            f"rpc.ResolverBacklog {rpc.ResolverBacklog} is cut to afd.MaximumStaticBacklog "
            f"{afd.MaximumStaticBacklog} (KB127144)"
        )
    calls = {appid: each.RpcProtSeqMaxCalls for appid, each in settings.AppID.items()}
    passed = {each.name: each.max_calls for each in applications(settings).values()}
    if not rpc.KB960007:
        unread = [appid for appid, asked in calls.items() if asked != MAX_CALLS_DEFAULT]
        if unread:
            yield (
                f"{value} of {_named(unread)} is not read without rpc.KB960007=1: "
                f"COM asks listen() for {MAX_CALLS_DEFAULT} (KB960007)"
            )
    for appid, asked in calls.items() if rpc.KB960007 else ():
        if asked != passed[appid]:
            yield (
                f"{value} {asked} of {_named([appid])} is taken as {passed[appid]}: "
                f"it goes from 1 to {MAX_CALLS_MAX} (KB960007)"
            )
    if afd.EnableDynamicBacklog:
        short = [name for name, most in passed.items() if most <= afd.MinimumDynamicBacklog]
        if short:
            yield (
                f"afd.EnableDynamicBacklog has no effect for COM on {_named(short)}: MaxCalls does "
                f"not exceed MinimumDynamicBacklog {afd.MinimumDynamicBacklog} (KB142641); "
                f"raise {value}, with rpc.KB960007=1"
            )


def _named(appids: Sequence[str]) -> str:
    shown = ", ".join(f"{{{appid}}}" for appid in appids[:NAMED_MAX])
    more = len(appids) - NAMED_MAX
    return f"AppID {shown} and {more} more" if more > 0 else f"AppID {shown}"


def _httpsys(httpsys: HttpSys) -> Iterator[str]:
    if httpsys.MaxFieldLength > httpsys.MaxRequestBytes:
        yield (
            f"httpsys.MaxFieldLength {httpsys.MaxFieldLength} has no effect: "
            f"MaxRequestBytes {httpsys.MaxRequestBytes} is met first (KB820129)"
        )
    if httpsys.ErrorLoggingDir and not httpsys.EnableErrorLogging:
        yield "httpsys.ErrorLoggingDir has no effect without httpsys.EnableErrorLogging=1"


_IDLE_WITHOUT: Final = {
    "PingingEnabled": ("PingResponseTime",),
    "RapidFailProtection": ("RapidFailProtectionMaxCrashes", "RapidFailProtectionInterval"),
    "OrphanWorkerProcess": ("OrphanActionExe", "OrphanActionParams"),
}
"""Settings that are read only where another one is on."""


def _apppool(pool: AppPool) -> Iterator[str]:
    default = AppPool()
    for switch, names in _IDLE_WITHOUT.items():
        if getattr(pool, switch):
            continue
        changed = [name for name in names if getattr(pool, name) != getattr(default, name)]
        if changed:
            have = "has" if len(changed) == 1 else "have"
            yield f"apppool.{', '.join(changed)} {have} no effect without apppool.{switch}=1"


def _vault(settings: Settings) -> Iterator[str]:
    vault, default = settings.vault, Vault()
    if vault.IsapiThreads > settings.apppool.PendingReceives:
        yield (
            f"vault.IsapiThreads {vault.IsapiThreads} is cut to apppool.PendingReceives "
            f"{settings.apppool.PendingReceives}: a worker takes on no more requests at once"
        )
    if vault.MaxBlockSize > settings.httpsys.MaxRequestEntityAllowed:
        yield (
            f"vault.MaxBlockSize {vault.MaxBlockSize} has no effect: "
            f"httpsys.MaxRequestEntityAllowed {settings.httpsys.MaxRequestEntityAllowed} "
            "is met first (413)"
        )
    chance = [
        name
        for name in ("CorruptionCrash", "Seed")
        if getattr(vault, name) != getattr(default, name)
    ]
    if chance and vault.TECH39579:
        have = "has" if len(chance) == 1 else "have"
        yield (
            f"vault.{', '.join(chance)} {have} no effect with vault.TECH39579=1: "
            "no entry is released under a method"
        )
