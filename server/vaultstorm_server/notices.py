"""Settings that are allowed and do nothing, or less than they seem to: said once, at the start."""

from collections.abc import Iterator
from typing import Final

from vaultstorm_server.settings import Afd, AppPool, HttpSys, Settings, Vault


def notices(settings: Settings) -> list[str]:
    """Say, a sentence each, what in `settings` will silently have no effect."""
    return [
        *_backlog(settings.afd),
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
            f"{without}listen() asked for {afd.Backlog}, which does not exceed "
            f"MinimumDynamicBacklog {afd.MinimumDynamicBacklog} (KB142641)"
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
