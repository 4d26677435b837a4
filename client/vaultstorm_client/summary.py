"""The result of a burst for a person: what was lost, in which phase, and what to look at."""

import textwrap
from typing import Any, Final

from vaultstorm_client.advice import advice
from vaultstorm_client.agent.ledger import FINDINGS
from vaultstorm_client.plan import Plan
from vaultstorm_client.rpc.summary import rpc_lines
from vaultstorm_wire.outcome import NAMES, Phase, hresult_of, is_lost

WIDTH: Final = 96
_SHOWN: Final = 5
"""Findings that are shown one by one."""
_BY_REASON: Final = {"bind.rejected": "by its reason"}
_ORDER: Final = [phase.value for phase in Phase]


def summary(plan: Plan, result: dict[str, Any]) -> str:
    """Write the summary, in lines that fit a terminal."""
    lines = [
        f"{result['target']}: {_load(plan, result['rpc'] is not None)}, seed {plan.seed}",
        _verdict(result),
        "",
    ]
    lines += _outcomes(result)
    if result["rpc"] is not None:
        lines += ["", *rpc_lines(result["rpc"])]
    if result["vault"] is not None:
        lines += ["", *_vault(plan, result["vault"])]
    lines += ["", *_latencies(result["latency_ms"]), "", *_burst(result)]
    return "\n".join(lines) + "\n"


def _load(plan: Plan, rpc: bool) -> str:
    who, what = ("agents", "snapshot") if plan.agents else ("clients", "request")
    clients = f"{who} as they arrive" if plan.clients is None else f"{plan.clients} {who}"
    each = f"{what}s without end" if plan.requests is None else f"{plan.requests} {what}(s) each"
    if rpc:
        rounds = "rounds without end" if plan.requests is None else f"{plan.requests} round(s) each"
        each = f"{rounds} of 1 activation and {plan.calls} call(s)"
    if plan.rate is not None:
        how = f"{plan.rate:g} a second, {plan.arrivals}"
    else:
        how = f"spread over {plan.ramp:g} s" if plan.ramp else "all at once"
    bound = f", for {plan.duration:g} s" if plan.duration is not None else ""
    return f"{clients}, {each}, {how}{bound}"


def _verdict(result: dict[str, Any]) -> str:
    attempts, ok, lost = result["attempts"], result["ok"], result["lost"]
    other = attempts - ok - lost
    parts = [f"{ok} ok", f"{lost} lost ({_share(lost, attempts)})"]
    if other:
        parts.insert(1, f"{other} answered with an error")
    reused = result["reused"]
    if reused["attempts"]:
        parts.append(f"{reused['lost']} of {reused['attempts']} lost on reused connections")
    cut = " (interrupted)" if result["interrupted"] else ""
    return f"{attempts} attempts in {result['duration_s']:.2f} s{cut}: {', '.join(parts)}"


def _outcomes(result: dict[str, Any]) -> list[str]:
    """One row per outcome in the order of the phases, with its advice below."""
    rows = sorted(result["outcomes"].items(), key=lambda item: _rank(item[0]))
    lines = [f"  {'outcome':<18}{'attempts':>9}{'share':>9}   {'errno':<14}Windows"]
    for outcome, count in rows:
        names = NAMES.get(outcome)
        ours = outcome.endswith(".local")  # which of its errors it was stands in the journal
        errno = names.errno or "-" if names and not ours else "-"
        windows = "-" if ours else _BY_REASON.get(outcome) or hresult_of(outcome) or "-"
        share = _share(count, result["attempts"])
        lines.append(f"  {outcome:<18}{count:>9}{share:>9}   {errno:<14}{windows}")
        if outcome != "ok":
            lines += textwrap.wrap(
                advice(outcome), WIDTH, initial_indent="      ", subsequent_indent="      "
            )
    return lines


def _rank(outcome: str) -> tuple[int, str]:
    phase = outcome.partition(".")[0]
    if outcome == "ok":
        return (-2, "")
    return (_ORDER.index(phase), outcome) if is_lost(outcome) else (-1, outcome)


def _vault(plan: Plan, vault: dict[str, Any]) -> list[str]:
    """Tell what became of what was put: a finding of its own, whatever requests failed."""
    snapshots, kept, back = vault["snapshots"], vault["acknowledged"], vault["verified"]
    reasons = "; ".join(vault["failures"].values())
    ends = ", ".join(f"{count} {name}" for name, count in snapshots.items())
    lines = [
        f"  snapshots          {ends}; {plan.blocks} block(s) each, {plan.lanes} lane(s)",
        f"  acknowledged       {_amount(kept)}",
        f"  read back the same {_amount(back)}",
    ]
    if snapshots["failed"] and reasons:
        lines += _wrapped(f"failed snapshots: {snapshots['failed']}, for instance: {reasons}", 2)
    found = data_finding(vault)
    if found is None:
        return [*lines, f"  {_unharmed(kept, back)}"]
    return [*lines, f"  DATA {found}", *_findings(vault)]


def _unharmed(kept: dict[str, int], back: dict[str, int]) -> str:
    """Say no more than was seen."""
    if not (kept["blocks"] or kept["snapshots"]):
        return "nothing was acknowledged, so there was nothing to lose"
    if not (back["blocks"] or back["snapshots"]):
        amount = f"{kept['blocks']} blocks and {kept['snapshots']} snapshots"
        return f"{amount} acknowledged, none read back"
    return "nothing acknowledged was found lost or corrupt"


def _findings(vault: dict[str, Any]) -> list[str]:
    lines = []
    for found in vault["findings"][:_SHOWN]:
        which = f"{found['what']}: {found['kind']} {found['name']}"
        lines += _wrapped(f"{which} in request {found['id']}: {found['detail']}", 4)
    more = vault["lost"] + vault["corrupt"] - len(vault["findings"][:_SHOWN])
    if more:
        lines.append(f"    and {more} more; vault.findings of --json has the first {FINDINGS}")
    return lines


def _wrapped(text: str, indent: int) -> list[str]:
    first, rest = " " * indent, " " * (indent + 4)
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
    )


def _amount(amount: dict[str, int]) -> str:
    return f"{amount['blocks']} blocks, {amount['snapshots']} snapshots, {amount['bytes']} bytes"


def data_finding(vault: dict[str, Any] | None) -> str | None:
    """Say what acknowledged data was found missing or changed; None if there is nothing to say."""
    if vault is None or not (vault["lost"] or vault["corrupt"]):
        return None
    what = "blocks and snapshots that were acknowledged"
    return f"LOST: {vault['lost']}, CORRUPT: {vault['corrupt']} of the {what}"


def _latencies(latency: dict[str, dict[str, float] | None]) -> list[str]:
    measured = {name: values for name, values in latency.items() if values is not None}
    if not measured:
        return ["  no complete answer, so no latency"]
    lines = [
        "  latency, ms        " + "".join(f"{name:>11}" for name in ("p50", "p90", "p99", "max"))
    ]
    for name, values in measured.items():
        figures = "".join(f"{values[key]:>11.3f}" for key in ("p50", "p90", "p99", "max"))
        lines.append(f"  {name:<19}{figures}")
    return lines


def _burst(result: dict[str, Any]) -> list[str]:
    burst, lines = result["burst"], []
    if burst["syn_spread_ms"] is not None:
        lines.append(
            f"  {burst['connects']} connections, first to last SYN {burst['syn_spread_ms']:.1f} ms"
        )
    if result["retries"]["syn"]:
        lines.append(f"  {result['retries']['syn']} SYNs were sent again, as asked (--syn-retries)")
    if result["idle_closed"]:
        lines.append(f"  {result['idle_closed']} kept connections were closed while idle: no loss")
    lines.append("  no request was sent twice: this client never retries on its own")
    timeouts = sum(n for name, n in result["outcomes"].items() if name.endswith(".timeout"))
    if timeouts and result["saturated"]:
        lines.append(
            f"  WARNING: this client was saturated (up to {result['lag_ms']:.0f} ms late): it may "
            "have caused\n           some of the timeouts itself; try --processes, or fewer clients"
        )
    return lines


def _share(count: int, attempts: int) -> str:
    return f"{100 * count / attempts:.1f} %" if attempts else "0 %"
