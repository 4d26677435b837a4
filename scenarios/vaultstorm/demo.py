"""`make demo`: a burst of 100 clients against a backlog of 10, then against one that is right."""

import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

from vaultstorm.serving import serving
from vaultstorm_client import burst
from vaultstorm_client.plan import Plan
from vaultstorm_client.result import result
from vaultstorm_client.summary import summary
from vaultstorm_client.target import parse
from vaultstorm_client.tls import client_context

CLIENTS: Final = 100
SEED: Final = 960007
PACE: Final = "--accept-interval=2ms"


class Variant(NamedTuple):
    """One server that the burst is fired at."""

    name: str
    options: tuple[str, ...]


VARIANTS: Final = (
    Variant("broken: backlog 10, RST after the handshake", ("--backlog=10", "--overflow=reset")),
    Variant("broken: backlog 10, RST to the SYN", ("--backlog=10", "--overflow=refuse")),
    Variant("Linux's way: backlog 10, the SYN is dropped", ("--backlog=10", "--overflow=drop")),
    Variant("fixed: backlog 100", ("--backlog=100", "--overflow=reset")),
)


def main() -> int:
    """Fire the same burst at each variant, tell both stories in full, and sum up in a table."""
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="vaultstorm-demo-") as directory:
        for variant in VARIANTS:
            plan, measured = _fire(variant, Path(directory))
            results.append(measured)
            print(f"--- {variant.name}: vaultstorm serve {' '.join((*variant.options, PACE))}")
            print(summary(plan, measured))
    print(_table(results))
    broken, fixed = results[0], results[-1]
    return 0 if broken["lost"] and not fixed["lost"] else 1


def _fire(variant: Variant, directory: Path) -> tuple[Plan, dict[str, Any]]:
    plan = Plan(clients=CLIENTS, seed=SEED)
    with (
        (directory / "server.log").open("ab") as log,
        serving([*variant.options, PACE, f"--tls-dir={directory / 'tls'}"], log) as server,
    ):
        assert server.ready.ca is not None
        target = parse(server.ready.url)
        tally, _ = burst.run(plan, target, client_context(Path(server.ready.ca), insecure=False))
        return plan, result(plan, target, tally)


def _table(results: list[dict[str, Any]]) -> str:
    lines = [f"{'the same burst of 100 clients':<46}{'ok':>5}{'lost':>6}{'p99 ms':>9}   endings"]
    for variant, measured in zip(VARIANTS, results, strict=True):
        latency = measured["latency_ms"]["total"]
        p99 = f"{latency['p99']:.0f}" if latency else "-"
        endings = ", ".join(
            f"{count} {outcome}"
            for outcome, count in measured["outcomes"].items()
            if outcome != "ok"
        )
        lines.append(
            f"{variant.name:<46}{measured['ok']:>5}{measured['lost']:>6}{p99:>9}   {endings or '-'}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
