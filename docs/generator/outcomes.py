"""How an attempt can end, and what is found out about it, from the tables that decide it."""

import re
from collections.abc import Sequence

from docs.generator.tables import code, members, table
from vaultstorm.reconcile import causes as cause_rules
from vaultstorm.reconcile import verdicts as verdict_rules
from vaultstorm.reconcile.rules import Rule
from vaultstorm_wire import outcome


def phases() -> str:
    """List the phases."""
    return table(("phase", "it was"), ((code(n), _PHASES[n]) for n in map(str, outcome.Phase)))


def endings() -> str:
    """List the endings."""
    found = members(outcome, outcome.Ending)
    return table(("ending", "it met"), ((code(name), text) for name, text in found))


def table_of(names: dict[str, outcome.Names]) -> str:
    """List outcomes with what others call them."""
    rows = []
    for name, names_of in names.items():
        rows.append(
            (
                code(name),
                "perhaps" if outcome.may_have_executed(name) else "no",
                code(names_of.errno or ""),
                f"{code(names_of.hresult)}&nbsp;({names_of.win32})",
                code(names_of.proxy_status),
                code(names_of.nel),
            )
        )
    head = ("outcome", "executed?", "errno", "HRESULT (Win32)", "RFC 9209", "NEL")
    return table(head, rows)


def hresults() -> str:
    """List the texts of the codes that a Windows client shows."""
    wrapped = [(0x80070000 | code_, text) for code_, text in outcome.MESSAGES.items()]
    both = sorted([*wrapped, *outcome.HRESULTS.items()])
    return table(("HRESULT", "message"), ((code(f"0x{number:08X}"), text) for number, text in both))


def causes() -> str:
    """List the causes in the order in which they are looked for."""
    return _rules("cause", cause_rules.RULES)


def foreign_causes() -> str:
    """List the causes with somebody else's server."""
    return _rules("cause", cause_rules.FOREIGN)


def verdicts() -> str:
    """List the verdicts in the order in which they are looked for."""
    return _rules("verdict", verdict_rules.RULES)


def foreign_verdicts() -> str:
    """List the verdicts with somebody else's server."""
    return _rules("verdict", verdict_rules.FOREIGN)


def _rules(what: str, rules: Sequence[Rule]) -> str:
    rows = ((str(nth), _gives(rule.gives), rule.because) for nth, rule in enumerate(rules, 1))
    return table(("", what, "because"), rows)


def all_losses() -> str:
    """List every loss there is."""
    return table_of(outcome.NAMES)


_PHASES = {
    "connect": "sending a SYN",
    "tls": "shaking hands over TLS",
    "bind": "agreeing with an RPC server on an interface",
    "send": "sending the request",
    "wait": "waiting for the first byte of the answer",
    "receive": "receiving the answer",
}


def _gives(expression: str) -> str:
    """Say what an expression of a rule results in."""
    fixed = re.fullmatch(r"'(\w+)'", expression)
    if fixed:
        return code(fixed[1])
    for part, words in _COMPUTED.items():
        if part in expression:
            return words
    raise KeyError(expression)


_COMPUTED = {
    "temp.matched": "`backlog_full`, `stopping`, `no_descriptors`",
    "MAX(name) FROM event": "`Timer_ConnectionIdle`, `Timer_HeaderWait`, …",
    "MAX(cause) FROM request": "`QueueFull`, `Connection_Abandoned_By_AppPool`, …; by RPC "
    "`call_limit`, `stopping`",
}
