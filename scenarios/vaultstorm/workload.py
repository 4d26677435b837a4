"""The `[load]` of a scenario: the options of `vaultstorm burst`, with underscores."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from vaultstorm.tables import convert, duration, only, size
from vaultstorm_client.plan import Plan, check
from vaultstorm_wire.errors import UsageError

SCHEMES: Final = ("https", "http", "tcp", "rpc")
ARRIVALS: Final = ("constant", "poisson")
DURATIONS: Final = (
    *("ramp", "duration", "think", "hold"),
    *("connect_timeout", "tls_timeout", "bind_timeout", "response_timeout", "syn_retry_interval"),
)
_HTTPS_OWN: Final = ("path", "method", "body_size")
KEYS: Final = (
    "scheme",
    *(field.name for field in msgspec.structs.fields(Plan) if field.name != "seed"),
)
"""What a load may say."""

_AT_MOST: Final = {"syn_retries": 100, "processes": 64}  # as on the command line of the burst


def scheme(load: Mapping[str, Any], where: str) -> str:
    """Give the scheme that a load is fired at. Raises UsageError."""
    chosen = load.get("scheme", SCHEMES[0])
    if chosen not in SCHEMES:
        raise UsageError(f"{where}: scheme = {chosen!r}: write {', '.join(SCHEMES)}")
    return str(chosen)


def plan(load: Mapping[str, Any], where: str, seed: int) -> Plan:
    """Make a plan of a load, with the defaults of `vaultstorm burst`.

    Args:
        load: what the scenario says, a variant's keys over those of all.
        where: file and table, for messages.
        seed: of every random draw.

    Raises:
        UsageError: a key is unknown, or its value cannot be carried out.
    """
    only(load, KEYS, where)
    values: dict[str, Any] = {key: value for key, value in load.items() if key != "scheme"}
    for key in DURATIONS:
        if key in values:
            values[key] = duration(values[key], f"{where}: {key}")
    if "body_size" in values:
        values["body_size"] = size(values["body_size"], f"{where}: body_size")
    if "rate" in values:
        values.setdefault("clients", None)
    elif "duration" in values:
        values.setdefault("requests", None)
    made = convert({**values, "seed": seed}, Plan, where)
    if made.arrivals not in ARRIVALS:
        raise UsageError(f"{where}: arrivals = {made.arrivals!r}: write {' or '.join(ARRIVALS)}")
    for key, most in _AT_MOST.items():
        if not 0 <= getattr(made, key) <= most:
            raise UsageError(f"{where}: {key} = {getattr(made, key)}: at most {most}, not below 0")
    try:
        checked = check(msgspec.structs.replace(made, method=made.method.upper()))
    except UsageError as error:
        raise UsageError(f"{where}: {_as_keys(str(error))}") from error
    _check_scheme(load, scheme(load, where), where)
    return checked


def attempts(plan: Plan, scheme: str) -> int:
    """Give how many attempts a load makes if none fails; 0 if that is not known before."""
    if plan.agents:
        return 0
    each = 1 + plan.calls if scheme == "rpc" else 1
    return (plan.clients or 0) * (plan.requests or 0) * each


def options(plan: Plan) -> list[str]:
    """Give the options of `vaultstorm burst` that carry out a plan."""
    given = []
    for field in msgspec.structs.fields(Plan):
        name, value = field.name.replace("_", "-"), getattr(plan, field.name)
        if isinstance(value, bool):
            given.append(f"--{name}" if value else f"--no-{name}")
        elif field.name in DURATIONS and value is not None:
            given.append(f"--{name}={value:.9f}s")
        elif value is not None:
            given.append(f"--{name}={value}")
    return given


def _check_scheme(load: Mapping[str, Any], chosen: str, where: str) -> None:
    """Raise UsageError if a key means nothing to the scheme."""
    if load.get("workload") == "agent" and chosen not in ("https", "http"):
        raise UsageError(f"{where}: workload = 'agent': agents speak HTTP; scheme is https or http")
    for key in _HTTPS_OWN if chosen == "rpc" else ("calls",):
        if key in load:
            why = "an activation has none" if chosen == "rpc" else "only scheme = 'rpc' has calls"
            raise UsageError(f"{where}: {key} = {load[key]!r}: {why}")


def _as_keys(said: str) -> str:
    """Write the options that a message names as the keys that they are here."""
    return re.sub(r"--[a-z][a-z-]*", lambda option: option[0][2:].replace("-", "_"), said)
