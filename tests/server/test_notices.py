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
    """Give the notices on these settings, of a server without RPC."""
    return notices(configuration.load(None, overrides), rpc=False)


def said_of_rpc(*overrides: str) -> list[str]:
    """Give the notices that a server with RPC has beside those of one without."""
    settings = configuration.load(None, overrides)
    without = notices(settings, rpc=False)
    return [notice for notice in notices(settings) if notice not in without]


def test_defaults_are_quiet() -> None:
    """There is nothing to say about the defaults."""
    assert said() == said_of_rpc() == []


def test_the_article_alone_is_not_enough() -> None:
    """The values of KB960007 with the default backlog of 10 change nothing, and it is said why."""
    assert said(*KB960007) == [
        "afd.EnableDynamicBacklog has no effect for HTTP: afd.Backlog asks listen() for 10, which "
        "does not exceed MinimumDynamicBacklog 20 (KB142641)"
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


APPID = "8e5f1c6a-4b0d-4c57-9d3e-5a7b2f60c9d1"
HOTFIX = "rpc.KB960007=1"


def calls(value: int, appid: str = APPID) -> str:
    """Write an application's MaxCalls."""
    return f"AppID.{appid}.RpcProtSeqMaxCalls={value}"


@pytest.mark.parametrize("value, count", [(9, 1), (10, 0), (11, 1), (100, 1), (101, 1)])
def test_maxcalls_without_the_hotfix_is_said(value: int, count: int) -> None:
    """The value is not read; one that is the constant itself changes nothing."""
    assert (
        said_of_rpc(calls(value))
        == [
            f"RpcProtSeqMaxCalls of AppID {{{APPID}}} is not read without rpc.KB960007=1: "
            "COM asks listen() for 10 (KB960007)"
        ]
        * count
    )


@pytest.mark.parametrize(
    "value, taken", [(0, 1), (1, None), (100, None), (101, 100), (0xFFFFFFFF, 100)]
)
def test_maxcalls_out_of_its_range_is_clamped_and_said(value: int, taken: int | None) -> None:
    """Both ends of 1 to 100 are allowed."""
    clamped = [
        f"RpcProtSeqMaxCalls {value} of AppID {{{APPID}}} is taken as {taken}: "
        "it goes from 1 to 100 (KB960007)"
    ]
    assert said_of_rpc(HOTFIX, calls(value)) == (clamped if taken else [])


@pytest.mark.parametrize("value, count", [(19, 1), (20, 1), (21, 0)])
def test_afd_values_need_a_maxcalls_above_the_minimum(value: int, count: int) -> None:
    """The article's values do nothing for an exporter that asked for no more than 20."""
    assert (
        said_of_rpc(*KB960007, HOTFIX, calls(value))
        == [
            f"afd.EnableDynamicBacklog has no effect for COM on AppID {{{APPID}}}: MaxCalls does "
            "not exceed MinimumDynamicBacklog 20 (KB142641); raise RpcProtSeqMaxCalls, with "
            "rpc.KB960007=1"
        ]
        * count
    )


def test_afd_values_alone_do_nothing_for_com() -> None:
    """Nor with the setting but without the hotfix."""
    (alone,) = said_of_rpc(*KB960007)
    assert "no effect for COM" in alone
    unread, also = said_of_rpc(*KB960007, calls(100))
    assert "is not read" in unread
    assert also == alone


def test_many_appids_are_counted() -> None:
    """One sentence names three."""
    many = [calls(50, f"{number:08x}{APPID[8:]}") for number in range(5)]
    (unread,) = said_of_rpc(*many)
    assert unread.count("{0000000") == 3
    assert "and 2 more is not read" in unread


@pytest.mark.parametrize("backlog, count", [(200, 0), (201, 1)])
def test_a_backlog_of_rpcss_beyond_the_edition(backlog: int, count: int) -> None:
    """It is cut as any other."""
    assert len(said_of_rpc(f"rpc.ResolverBacklog={backlog}")) == count


def test_exhaustion_that_nothing_waits_for_is_said() -> None:
    """Without protection, and where another overflow is asked for by name."""
    limit = "tcpip.TcpMaxPortsExhausted=5"
    assert said(limit) == []
    without = "tcpip.TcpMaxPortsExhausted has no effect "
    assert said(limit, "tcpip.SynAttackProtect=0") == [f"{without}without tcpip.SynAttackProtect=1"]
    assert said(limit, "tcpip.Overflow=drop") == [f"{without}with tcpip.Overflow=drop"]
