"""What a burst is asked to do."""

import math
from typing import Final

import msgspec

from vaultstorm_client.agent import sizes
from vaultstorm_client.target import Target, check_path
from vaultstorm_wire.dcerpc.syntax import guid_of
from vaultstorm_wire.errors import UsageError

VAULT: Final = "/AeXRSVault"
"""Where agents look for the vault if the URL has no path."""
VAULT_STATUS: Final = f"{VAULT}/status"
"""What the `status` workload asks for where the URL has no path."""

WORKLOADS: Final = ("status", "agent")
LANES_MAX: Final = 256
BLOCKS_MAX: Final = 1000

_AGENTS_OWN: Final = ("lanes", "blocks", "block_sizes")
_HTTPS_OWN: Final = ("path", "method", "body_size")
_RPCS_OWN: Final = ("calls", "clsid")
_NOT_AN_AGENTS: Final = {
    "rate": "agents are --clients, all at once or with --ramp",
    "path": "an agent knows its paths; the vault's own is the URL's, such as https://host/vault",
    "method": "an agent knows its methods",
    "body_size": "the sizes of blocks are --block-sizes",
}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One burst. Durations are seconds, sizes bytes.

    Attributes:
        workload: ``status``, all requests alike, or ``agent``, snapshots put into a vault.
        clients: how many clients there are in all; None for as many as `rate` and `duration` give.
            With `agent` each is an agent.
        requests: how many requests each client makes, one after the other; None with `duration`.
            With `agent`: how many snapshots each agent takes. Of an ``rpc://`` target: how many
            rounds of one activation and its calls.
        calls: of an ``rpc://`` target: how many calls follow each activation.
        clsid: of an ``rpc://`` target: which class is activated; None for the demonstration's.
        lanes: how many connections an agent uses at once.
        blocks: how many blocks a snapshot has.
        block_sizes: as `sizes.parse` takes them.
        rate: clients that arrive in a second (open loop); None for a spike or a ramp.
        arrivals: ``constant`` or ``poisson``.
        ramp: over how long the clients of a spike are spread, or the rate grows.
        duration: after how long no request is begun any more.
        think: how long a client waits between an answer and its next request, or an agent between
            two snapshots.
        hold: how long a ``tcp://`` connection must stand to count as ok.
        syn_retries: how often a refused SYN is sent again (KB175523); each is counted.
    """

    workload: str = "status"
    clients: int | None = 100
    requests: int | None = 1
    calls: int = 1
    clsid: str | None = None
    rate: float | None = None
    arrivals: str = "constant"
    ramp: float = 0.0
    duration: float | None = None
    keep_alive: bool = True
    think: float = 0.0
    method: str = "GET"
    path: str | None = None
    body_size: int = 0
    lanes: int = 4
    blocks: int = 8
    block_sizes: str = sizes.DEFAULT
    connect_timeout: float = 10.0
    tls_timeout: float = 10.0
    bind_timeout: float = 10.0
    response_timeout: float = 30.0
    hold: float = 0.25
    syn_retries: int = 0
    syn_retry_interval: float = 0.5
    processes: int = 1
    seed: int = 0

    @property
    def agents(self) -> bool:
        """Whether the clients are agents."""
        return self.workload == "agent"

    @property
    def spike(self) -> bool:
        """Whether all clients connect in one tight loop."""
        return self.rate is None and self.ramp == 0.0


def check(plan: Plan) -> Plan:
    """Give the plan back if it can be carried out.

    Raises:
        UsageError: it cannot; says which option and what would be right.
    """
    for name in ("clients", "requests", "processes", "lanes", "blocks"):
        value = getattr(plan, name)
        if value is not None and value < 1:
            raise UsageError(f"--{name} {value}: at least 1")
    if plan.calls < 0:
        raise UsageError(f"--calls {plan.calls}: 0 for activations alone, or more")
    if plan.clsid is not None:
        _check_guid(plan.clsid)
    _check_durations(plan)
    _check_workload(plan)
    if plan.rate is not None and not 0 < plan.rate < math.inf:
        raise UsageError(f"--rate {plan.rate:g}: more than 0 arrivals a second")
    if plan.rate is not None and plan.clients is None and plan.duration is None:
        raise UsageError("--rate goes on for ever: bound it with --clients or --duration")
    if plan.path is not None and not plan.path.startswith("/"):
        raise UsageError(f"--path {plan.path!r}: begins with a slash")
    check_path(plan.path or "")
    if plan.clients is not None and plan.processes > plan.clients:
        raise UsageError(f"--processes {plan.processes}: no more than --clients {plan.clients}")
    if not plan.method.isascii() or not plan.method.isalpha():
        raise UsageError(f"--method {plan.method!r}: letters only, such as GET or PUT")
    return plan


def _check_guid(clsid: str) -> None:
    try:
        guid_of(clsid)
    except ValueError as error:
        raise UsageError(f"--clsid: {error}") from error


def _check_durations(plan: Plan) -> None:
    for name in ("duration", "ramp", "think", "hold", "syn_retry_interval"):
        if not 0 <= (getattr(plan, name) or 0.0) < math.inf:
            raise UsageError(f"--{name.replace('_', '-')}: a length of time with an end")
    for name in ("connect_timeout", "tls_timeout", "bind_timeout", "response_timeout"):
        if not getattr(plan, name) > 0:
            raise UsageError(f"--{name.replace('_', '-')}: longer than 0, or nothing can succeed")
    if plan.duration == 0:
        raise UsageError("--duration: longer than 0")


def check_target(plan: Plan, target: Target) -> None:
    """Raise UsageError if a plan cannot be carried out against a target."""
    rpc = target.scheme == "rpc"
    for name in _HTTPS_OWN if rpc else _RPCS_OWN:
        value = getattr(plan, name)
        if value != _DEFAULTS[name]:
            what = "an rpc:// target has none" if rpc else "that is for rpc:// targets"
            raise UsageError(f"--{name.replace('_', '-')} {value}: {what}")
    if not plan.agents:
        return
    if target.scheme not in ("https", "http"):
        raise UsageError(f"{target}: agents speak HTTP; aim them at https:// or http://")
    if "?" in target.path:
        raise UsageError(f"{target}: the path of a vault has no query")


def _check_workload(plan: Plan) -> None:
    if plan.workload not in WORKLOADS:
        raise UsageError(f"--workload {plan.workload!r}: write {' or '.join(WORKLOADS)}")
    others = _NOT_AN_AGENTS if plan.agents else _AGENTS_OWN
    for name in others:
        value = getattr(plan, name)
        if value != _DEFAULTS[name]:
            instead = _NOT_AN_AGENTS.get(name, "that is an agent's: say --workload agent")
            raise UsageError(f"--{name.replace('_', '-')} {value}: {instead}")
    for name, most in (("lanes", LANES_MAX), ("blocks", BLOCKS_MAX)):
        if getattr(plan, name) > most:
            raise UsageError(f"--{name} {getattr(plan, name)}: at most {most}")
    try:
        sizes.parse(plan.block_sizes)
    except ValueError as error:
        raise UsageError(f"--block-sizes: {error}") from error


_DEFAULTS: Final = {field.name: field.default for field in msgspec.structs.fields(Plan)}
