"""What a burst is asked to do."""

import math

import msgspec

from vaultstorm_client.target import check_path
from vaultstorm_wire.errors import UsageError

VAULT_STATUS = "/AeXRSVault/status"
"""What the `status` workload asks for where the URL has no path."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One burst. Durations are seconds, sizes bytes.

    Attributes:
        clients: how many clients there are in all; None for as many as `rate` and `duration` give.
        requests: how many requests each client makes, one after the other; None with `duration`.
        rate: clients that arrive in a second (open loop); None for a spike or a ramp.
        arrivals: ``constant`` or ``poisson``.
        ramp: over how long the clients of a spike are spread, or the rate grows.
        duration: after how long no request is begun any more.
        think: how long a client waits between an answer and its next request.
        hold: how long a ``tcp://`` connection must stand to count as ok.
        syn_retries: how often a refused SYN is sent again (KB175523); each is counted.
    """

    clients: int | None = 100
    requests: int | None = 1
    rate: float | None = None
    arrivals: str = "constant"
    ramp: float = 0.0
    duration: float | None = None
    keep_alive: bool = True
    think: float = 0.0
    method: str = "GET"
    path: str | None = None
    body_size: int = 0
    connect_timeout: float = 10.0
    tls_timeout: float = 10.0
    response_timeout: float = 30.0
    hold: float = 0.25
    syn_retries: int = 0
    syn_retry_interval: float = 0.5
    processes: int = 1
    seed: int = 0

    @property
    def spike(self) -> bool:
        """Whether all clients connect in one tight loop."""
        return self.rate is None and self.ramp == 0.0


def check(plan: Plan) -> Plan:
    """Give the plan back if it can be carried out.

    Raises:
        UsageError: it cannot; says which option and what would be right.
    """
    for name in ("clients", "requests", "processes"):
        value = getattr(plan, name)
        if value is not None and value < 1:
            raise UsageError(f"--{name} {value}: at least 1")
    _check_durations(plan)
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


def _check_durations(plan: Plan) -> None:
    for name in ("duration", "ramp", "think", "hold", "syn_retry_interval"):
        if not 0 <= (getattr(plan, name) or 0.0) < math.inf:
            raise UsageError(f"--{name.replace('_', '-')}: a length of time with an end")
    for name in ("connect_timeout", "tls_timeout", "response_timeout"):
        if not getattr(plan, name) > 0:
            raise UsageError(f"--{name.replace('_', '-')}: longer than 0, or nothing can succeed")
    if plan.duration == 0:
        raise UsageError("--duration: longer than 0")
