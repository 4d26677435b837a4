"""The doctor's findings, from facts that are given."""

from dataclasses import replace

import pytest

from vaultstorm.doctor import SPARE_DESCRIPTORS, Finding, Level, Wanted, examine, fit
from vaultstorm.machine import UNLIMITED, Facts

HEALTHY = Facts(
    soft_descriptors=UNLIMITED,
    hard_descriptors=UNLIMITED,
    port_range=(32768, 60999),
    tcp_tw_reuse=2,
    somaxconn=4096,
    tcp_max_syn_backlog=4096,
    tcp_abort_on_overflow=0,
    tcp_syncookies=1,
    unprivileged_port_start=0,
    may_bind_low_ports=False,
    cores=2,
    memory=8 << 30,
    uvloop="0.23.0",
    openssl="OpenSSL 3.0.19",
    listening=frozenset(),
)


def find(name: str, wanted: Wanted = Wanted(), **facts: object) -> Finding:  # noqa: B008 - frozen
    """Examine the healthy machine with other `facts`, and give the one finding of that name."""
    findings = examine(replace(HEALTHY, **facts), wanted)  # type: ignore[arg-type]
    (found,) = [finding for finding in findings if finding.name == name]
    return found


def test_healthy() -> None:
    """A healthy machine has nothing but ok, and nothing to mend."""
    findings = examine(HEALTHY, Wanted())
    assert {finding.level for finding in findings} == {Level.OK}
    assert not any(finding.fix for finding in findings)
    assert fit(findings)


def test_nothing_known() -> None:
    """On a system that says nothing there is still an answer, and what is not known is said."""
    findings = examine(Facts(uvloop="0.23.0", openssl="OpenSSL 3"), Wanted())
    unknown = {finding.name for finding in findings if finding.value == "unknown"}
    assert {"descriptors", "ephemeral ports", "somaxconn", "memory"} <= unknown
    assert fit(findings)


@pytest.mark.parametrize("spare, level", [(-1, Level.BAD), (0, Level.OK), (1, Level.OK)])
def test_soft_limit_of_descriptors(spare: int, level: Level) -> None:
    """Exactly enough descriptors are enough; one less is not, and ulimit mends it."""
    soft = 1000 + SPARE_DESCRIPTORS + spare
    found = find("descriptors", soft_descriptors=soft)
    assert found.level is level
    assert f"enough for {1000 + spare} clients" in found.value
    assert found.fix == ("" if level is Level.OK else "ulimit -n 1064")


def test_hard_limit_of_descriptors() -> None:
    """Where the hard limit is in the way too, only root can mend it."""
    found = find("descriptors", soft_descriptors=20, hard_descriptors=1063)
    assert found.level is Level.BAD
    assert "enough for 0 clients" in found.value
    assert found.fix.startswith("sudo prlimit")


@pytest.mark.parametrize(
    "clients, level",
    [(14116, Level.OK), (14117, Level.WARN), (28232, Level.WARN), (28233, Level.WARN)],
)
def test_ephemeral_ports(clients: int, level: Level) -> None:
    """Half of the range is for this burst, half for the last one's TIME_WAIT."""
    found = find("ephemeral ports", Wanted(clients=clients))
    assert found.level is level
    assert "28232 connections" in found.value
    assert ("fewer than the" in found.why) is (clients > 28232)


@pytest.mark.parametrize("ports, count", [((5, 5), 1), ((6, 5), 0)])
def test_narrow_port_range(ports: tuple[int, int], count: int) -> None:
    """A range of one port, and an empty one, are counted as that."""
    assert f"{count} connections" in find("ephemeral ports", port_range=ports).value


@pytest.mark.parametrize("value, level", [(0, Level.WARN), (1, Level.OK), (2, Level.OK)])
def test_time_wait(value: int, level: Level) -> None:
    """Ports that are not used again are a warning."""
    assert find("tcp_tw_reuse", tcp_tw_reuse=value).level is level


@pytest.mark.parametrize("value, level", [(999, Level.WARN), (1000, Level.OK)])
def test_somaxconn(value: int, level: Level) -> None:
    """The kernel's queue has to take the whole spike."""
    found = find("somaxconn", somaxconn=value)
    assert found.level is level
    assert ("net.core.somaxconn=4096" in found.fix) is (level is Level.WARN)
    assert "somaxconn=5000" in find("somaxconn", Wanted(clients=5000), somaxconn=1).fix


@pytest.mark.parametrize(
    "backlog, cookies, level",
    [(999, 0, Level.WARN), (1000, 0, Level.OK), (1, 1, Level.OK), (1, None, Level.OK)],
)
def test_syn_backlog(backlog: int, cookies: int | None, level: Level) -> None:
    """The queue of SYNs matters only without cookies."""
    found = find("tcp_max_syn_backlog", tcp_max_syn_backlog=backlog, tcp_syncookies=cookies)
    assert found.level is level


@pytest.mark.parametrize("value, level", [(0, Level.OK), (1, Level.OK), (2, Level.WARN)])
def test_syn_cookies(value: int, level: Level) -> None:
    """Cookies for every connection make the kernel's queues unlike any in production."""
    assert find("tcp_syncookies", tcp_syncookies=value).level is level


@pytest.mark.parametrize("value", [0, 1])
def test_abort_on_overflow(value: int) -> None:
    """tcp_abort_on_overflow is said to do nothing here, whatever it is."""
    found = find("tcp_abort_on_overflow", tcp_abort_on_overflow=value)
    assert found.level is Level.OK
    assert "does nothing here" in found.why


@pytest.mark.parametrize(
    "port, start, capable, level",
    [
        (443, 443, False, Level.OK),
        (443, 444, False, Level.BAD),
        (443, 1024, True, Level.OK),
        (443, 1024, None, Level.BAD),
        (443, None, False, Level.BAD),
        (443, None, True, Level.OK),
        (443, None, None, Level.WARN),
        (8443, None, False, Level.WARN),
        (8443, 1024, False, Level.OK),
    ],
)
def test_permission(port: int, start: int | None, capable: bool | None, level: Level) -> None:
    """A low port takes the sysctl or the capability; without both, the ways out are named."""
    found = find(
        f"permission for {port}",
        Wanted(port=port),
        unprivileged_port_start=start,
        may_bind_low_ports=capable,
    )
    assert found.level is level
    if level is Level.BAD:
        assert "ip_unprivileged_port_start=443" in found.fix
        assert "cap_net_bind_service" in found.fix
        assert "--port" in found.why


def test_ports_in_use() -> None:
    """A taken port is a warning, since it may be the very server that is to be tested."""
    assert find("port 443", listening=frozenset({443})).level is Level.WARN
    assert find("port 8079", listening=frozenset({443})).level is Level.OK
    assert find("port 443", listening=None).value == "unknown"


@pytest.mark.parametrize("cores, level", [(1, Level.WARN), (2, Level.OK)])
def test_cores(cores: int, level: Level) -> None:
    """One core for both sides is a warning."""
    assert find("cores", cores=cores).level is level


@pytest.mark.parametrize("lacking, level", [(0, Level.OK), (1, Level.BAD)])
def test_memory(lacking: int, level: Level) -> None:
    """Exactly enough memory is enough; a byte less is not, and the size that fits is named."""
    found = find("memory", memory=1000 * 100 * 1024 - lacking)
    assert found.level is level
    assert found.fix == ("--clients 999" if lacking else "")


@pytest.mark.parametrize("name, fact", [("uvloop", "uvloop"), ("OpenSSL", "openssl")])
def test_missing_library(name: str, fact: str) -> None:
    """A missing library stands in the way."""
    facts = replace(HEALTHY, **{fact: None})
    assert not fit(examine(facts, Wanted()))
    assert [each.name for each in examine(facts, Wanted()) if each.value == "missing"] == [name]
