"""Settings that would silently do nothing are said."""

import pytest

from vaultstorm_server import configuration
from vaultstorm_server.notices import notices

KB960007 = (
    "afd.EnableDynamicBacklog=1",
    "afd.MinimumDynamicBacklog=20",
    "afd.MaximumDynamicBacklog=20000",
    "afd.DynamicBacklogGrowthDelta=10",
)


def said(*overrides: str) -> list[str]:
    """Give the notices on these settings."""
    return notices(configuration.load(None, overrides))


def test_defaults_are_quiet() -> None:
    """There is nothing to say about the defaults."""
    assert said() == []


def test_the_article_alone_is_not_enough() -> None:
    """The values of KB960007 with the default backlog of 10 change nothing, and it is said why."""
    assert said(*KB960007) == [
        "afd.EnableDynamicBacklog has no effect: listen() asked for 10, which does not exceed "
        "MinimumDynamicBacklog 20 (KB142641)"
    ]


@pytest.mark.parametrize("backlog, count", [(19, 1), (20, 1), (21, 0)])
def test_backlog_has_to_exceed_the_minimum(backlog: int, count: int) -> None:
    """A backlog equal to MinimumDynamicBacklog is not enough, one more is."""
    assert len(said(*KB960007, f"afd.Backlog={backlog}")) == count


@pytest.mark.parametrize(
    "override, notice",
    [
        ("afd.DynamicBacklogGrowthDelta=0", "DynamicBacklogGrowthDelta 0 adds nothing"),
        ("afd.MaximumDynamicBacklog=0", "would exceed MaximumDynamicBacklog 0"),
        ("afd.MaximumDynamicBacklog=9", "growth of 10 would exceed MaximumDynamicBacklog 9"),
        ("afd.MinimumDynamicBacklog=0", "cannot fall below MinimumDynamicBacklog 0"),
    ],
)
def test_growth_that_never_happens(override: str, notice: str) -> None:
    """Each value that keeps the backlog from growing is named."""
    (only,) = said(*KB960007, "afd.Backlog=100", override)
    assert notice in only


def test_growth_that_just_fits() -> None:
    """A Delta equal to the Maximum can happen once: nothing to say."""
    assert said(*KB960007, "afd.Backlog=100", "afd.MaximumDynamicBacklog=10") == []


def test_dynamic_values_without_the_switch() -> None:
    """The values without EnableDynamicBacklog are named."""
    assert said(*KB960007[1:]) == [
        "afd.MinimumDynamicBacklog, MaximumDynamicBacklog, DynamicBacklogGrowthDelta have no "
        "effect without afd.EnableDynamicBacklog=1"
    ]
    assert said("afd.GrowthLag=1s") == [
        "afd.GrowthLag has no effect without afd.EnableDynamicBacklog=1"
    ]


@pytest.mark.parametrize("backlog, count", [(200, 0), (201, 1)])
def test_backlog_beyond_the_edition(backlog: int, count: int) -> None:
    """A backlog above what the edition of Windows allows is said to be cut."""
    assert len(said(f"afd.Backlog={backlog}")) == count


def test_httpsys_limits_that_are_never_met() -> None:
    """A limit that another one hides, and a directory nobody writes to, are said."""
    assert "MaxRequestBytes 16384 is met first" in said("httpsys.MaxFieldLength=16385")[0]
    overrides = ("httpsys.ErrorLoggingDir=/x", "httpsys.EnableErrorLogging=0")
    assert "ErrorLoggingDir has no effect" in said(*overrides)[0]


@pytest.mark.parametrize(
    "override, switch",
    [
        ("apppool.PingResponseTime=1s", "apppool.PingingEnabled"),
        ("apppool.RapidFailProtectionMaxCrashes=2", "apppool.RapidFailProtection"),
        ("apppool.RapidFailProtectionInterval=1", "apppool.RapidFailProtection"),
        ("apppool.OrphanActionExe=/bin/dump", "apppool.OrphanWorkerProcess"),
        ("apppool.OrphanActionParams=%1%", "apppool.OrphanWorkerProcess"),
    ],
)
def test_a_setting_of_the_pool_that_nothing_reads_is_said(override: str, switch: str) -> None:
    """With its switch off it is named, with its switch on there is nothing to say."""
    name = override.partition("=")[0].removeprefix("apppool.")
    assert said(override, f"{switch}=0") == [f"apppool.{name} has no effect without {switch}=1"]
    assert said(override, f"{switch}=1") == []


@pytest.mark.parametrize("threads, count", [(255, 0), (256, 0), (257, 1)])
def test_threads_that_no_request_reaches_are_said(threads: int, count: int) -> None:
    """As many ISAPI threads as PendingReceives can be held, one more cannot."""
    assert (
        said(f"vault.IsapiThreads={threads}")
        == [
            "vault.IsapiThreads 257 is cut to apppool.PendingReceives 256: "
            "a worker takes on no more requests at once"
        ]
        * count
    )


@pytest.mark.parametrize("longest, count", [(1000, 0), (1001, 1)])
def test_a_longest_block_that_never_arrives_is_said(longest: int, count: int) -> None:
    """http.sys answers 413 to a body above its own limit."""
    overrides = (f"vault.MaxBlockSize={longest}", "httpsys.MaxRequestEntityAllowed=1000")
    assert (
        said(*overrides)
        == [
            "vault.MaxBlockSize 1001 has no effect: "
            "httpsys.MaxRequestEntityAllowed 1000 is met first (413)"
        ]
        * count
    )


@pytest.mark.parametrize(
    "overrides, named",
    [
        (["vault.CorruptionCrash=0.5"], "CorruptionCrash has"),
        (["vault.Seed=7"], "Seed has"),
        (["vault.CorruptionCrash=1", "vault.Seed=7"], "CorruptionCrash, Seed have"),
    ],
)
def test_corruption_that_cannot_come_is_said(overrides: list[str], named: str) -> None:
    """Where entries are counted none is released under a method."""
    assert said(*overrides) == []
    assert said(*overrides, "vault.TECH39579=1") == [
        f"vault.{named} no effect with vault.TECH39579=1: no entry is released under a method"
    ]
